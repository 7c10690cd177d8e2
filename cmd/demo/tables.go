package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A table is one that the writer changes and the agent syncs, with the same
// name on both sides.
type table struct {
	name   string
	what   string // makes it worth showing
	create []string
	rows   int // at the start
	row    func(r *rand.Rand, i int) []any

	forced, skips int           // caps of the decision's rules 2 and 3
	verify        time.Duration // between scheduled checks
}

// tables are one of each kind that the agent reads in a way of its own.
var tables = []table{
	{
		name: "orders", what: "key int; an index leads with its rowversion, so changes are read alone",
		create: []string{
			`CREATE TABLE dbo.orders (
  id       int           NOT NULL PRIMARY KEY,
  customer nvarchar(20)  NOT NULL,
  status   varchar(10)   NOT NULL,
  total    decimal(12,2) NOT NULL,
  placed   datetime2(3)  NOT NULL,
  note     nvarchar(100) NULL,
  rv       rowversion    NOT NULL)`,
			`CREATE INDEX ix_orders_rv ON dbo.orders (rv)`,
		},
		rows: 2000,
		row: func(r *rand.Rand, i int) []any {
			return []any{i + 1, customerCode(r.IntN(300)), pick(r, statuses), cents(r, 500_00), startOfTime.Add(time.Duration(i) * 1013 * time.Millisecond), note(r)}
		},
		skips: 8, verify: 15 * time.Second,
	},
	{
		name: "customers", what: "key text that ignores case, and keys that change",
		create: []string{
			`CREATE TABLE dbo.customers (
  code   nvarchar(20) NOT NULL PRIMARY KEY,
  name   nvarchar(60) NOT NULL,
  city   nvarchar(40) NULL,
  credit money        NOT NULL,
  active bit          NOT NULL,
  rv     rowversion   NOT NULL)`,
			`CREATE INDEX ix_customers_rv ON dbo.customers (rv)`,
		},
		rows: 300,
		row: func(r *rand.Rand, i int) []any {
			return []any{customerCode(i), fmt.Sprintf("%s & Sons No. %d", pick(r, names), i), pick(r, cities), cents(r, 10_000_00), r.IntN(10) > 0}
		},
		forced: 2, skips: 5, verify: 20 * time.Second,
	},
	{
		name: "stock", what: "key of two columns; no index on its rowversion",
		create: []string{`CREATE TABLE dbo.stock (
  warehouse char(3)    NOT NULL,
  product   int        NOT NULL,
  quantity  bigint     NOT NULL,
  counted   date       NOT NULL,
  rv        rowversion NOT NULL,
  PRIMARY KEY (warehouse, product))`},
		rows: 400,
		row: func(r *rand.Rand, i int) []any {
			k := stockOf(i)
			return []any{k.warehouse, k.product, r.IntN(1000), startOfTime.AddDate(0, 0, r.IntN(300)).Format(time.DateOnly)}
		},
		skips: 5, verify: 25 * time.Second,
	},
	{
		name: "settings", what: "no rowversion column: compared by content every 4 s",
		create: []string{`CREATE TABLE dbo.settings (
  name  varchar(40)   NOT NULL PRIMARY KEY,
  value nvarchar(200) NULL)`},
		rows:  40,
		row:   func(r *rand.Rand, i int) []any { return []any{settingName(i), fmt.Sprint(r.IntN(100))} },
		skips: 5, verify: 4 * time.Second,
	},
}

var (
	startOfTime = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	statuses    = []string{"new", "paid", "packed", "shipped"}
	names       = []string{"Müller", "Åkesson", "O'Brien", "Nguyễn", "Łukasz", "Smith"}
	cities      = []string{"Zürich", "Malmö", "Cork", "Huế", "Łódź", "東京"}
	warehouses  = []string{"NTH", "STH", "EST", "WST"}
)

type stockKey struct {
	warehouse string
	product   int
}

func stockOf(i int) stockKey {
	return stockKey{warehouses[i%len(warehouses)], 1000 + i/len(warehouses)}
}

func customerCode(i int) string { return fmt.Sprintf("cust-%05d", i) }
func settingName(i int) string  { return fmt.Sprintf("app.setting.%02d", i) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// cents is an amount below most, in hundredths, as text: no float comes near
// money.
func cents(r *rand.Rand, most int) string {
	n := r.IntN(most)
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

func note(r *rand.Rand) any {
	if r.IntN(3) > 0 {
		return nil
	}
	return "deliver to the " + pick(r, []string{"back door", "neighbour", "café next door", "roof ☂"})
}
