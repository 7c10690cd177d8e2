//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A table is one kind of those that the agent reads in ways of their own.
type table struct {
	name      string
	create    []string
	columns   []string // without the row version
	key       int      // how many of the columns are the key
	versioned bool     // has a column rv
	rows      int      // at the start, for a scale of 1
	row       func(r *rand.Rand, i int) []any
}

var tables = []table{
	{
		name: "orders", versioned: true, // changes are read by the index on rv
		create: []string{
			`CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, status varchar(10) NOT NULL, total decimal(12,2) NOT NULL,
				placed datetime2(3) NOT NULL, note nvarchar(100) NULL, rv rowversion NOT NULL)`,
			`CREATE INDEX ix_orders_rv ON dbo.orders (rv)`,
		},
		columns: []string{"id", "status", "total", "placed", "note"}, key: 1,
		rows: 20_000,
		row: func(r *rand.Rand, i int) []any {
			return []any{int64(i), "new", cents(r), startOfTime.Add(time.Duration(i) * 1013 * time.Millisecond), note(r)}
		},
	},
	{
		name: "customers", versioned: true, // keys of text without case, which change
		create: []string{
			`CREATE TABLE dbo.customers (code nvarchar(20) NOT NULL PRIMARY KEY, city nvarchar(40) NULL, credit money NOT NULL,
				active bit NOT NULL, rv rowversion NOT NULL)`,
			`CREATE INDEX ix_customers_rv ON dbo.customers (rv)`,
		},
		columns: []string{"code", "city", "credit", "active"}, key: 1,
		rows: 2000,
		row: func(r *rand.Rand, i int) []any {
			return []any{customerCode(i), pick(r, cities), cents(r), r.IntN(2) == 0}
		},
	},
	{
		name: "stock", versioned: true, // a key of two columns, no index on rv
		create: []string{`CREATE TABLE dbo.stock (warehouse char(3) NOT NULL, product int NOT NULL, quantity int NOT NULL,
			counted date NOT NULL, rv rowversion NOT NULL, PRIMARY KEY (warehouse, product))`},
		columns: []string{"warehouse", "product", "quantity", "counted"}, key: 2,
		rows: 5000,
		row: func(r *rand.Rand, i int) []any {
			return []any{warehouses[i%len(warehouses)], int64(i), int64(r.IntN(1000)), startOfTime.AddDate(0, 0, r.IntN(300)).Format(time.DateOnly)}
		},
	},
	{
		name:    "settings", // no row version: compared by content
		create:  []string{`CREATE TABLE dbo.settings (name varchar(40) NOT NULL PRIMARY KEY, value nvarchar(200) NULL)`},
		columns: []string{"name", "value"}, key: 1,
		rows: 200,
		row:  func(r *rand.Rand, i int) []any { return []any{settingName(i), fmt.Sprint(r.IntN(100))} },
	},
}

// dataset is the table's name in the cloud.
func (t table) dataset() string { return "dbo." + t.name }

// keyText is the key's values as the comparison writes them.
func (t table) keyText(values []string) string { return strings.Join(values[:t.key], ",") }

var (
	startOfTime = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	cities      = []string{"Zürich", "Malmö", "Cork", "Huế", "Łódź", "東京"}
	warehouses  = []string{"NTH", "STH", "EST", "WST"}
)

func customerCode(i int) string { return fmt.Sprintf("cust-%05d", i) }
func settingName(i int) string  { return fmt.Sprintf("app.setting.%03d", i) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// cents is an amount as text: no float comes near money.
func cents(r *rand.Rand) string { return fmt.Sprintf("%d.%02d", r.IntN(10_000), r.IntN(100)) }

func note(r *rand.Rand) any {
	if r.IntN(3) > 0 {
		return nil
	}
	return "deliver to the " + pick(r, []string{"back door", "neighbour", "café next door", "roof ☂"})
}
