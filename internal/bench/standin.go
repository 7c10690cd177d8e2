package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
)

// An order to the stand-in's process, one JSON document.
type order struct {
	Create     string `json:"create,omitempty"` // a table
	Rows       int    `json:"rows,omitempty"`   // of it
	Narrow     bool   `json:"narrow,omitempty"` // the table of the comparisons
	Exec       string `json:"exec,omitempty"`   // a batch
	Statements bool   `json:"statements,omitempty"`
}

// done is the answer to an order.
type done struct {
	Error      string   `json:"error,omitempty"`
	Statements []string `json:"statements,omitempty"`
}

// serveSource is the process of the stand-in: it writes its connection string
// and carries out orders until there are no more.
func serveSource(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	server, err := mssqltest.Start(mssqltest.Options{DB: engine.DatabaseOptions{AllowSnapshot: true}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	answers, orders := json.NewEncoder(out), json.NewDecoder(in)
	if err := answers.Encode(server.DSN("sa")); err != nil {
		return err
	}
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var d done
		if err := carryOut(ctx, server, o, &d); err != nil {
			d.Error = err.Error()
		}
		if err := answers.Encode(d); err != nil {
			return err
		}
	}
}

func carryOut(ctx context.Context, server *mssqltest.Server, o order, d *done) error {
	switch {
	case o.Narrow:
		return createNarrow(ctx, server.DB(), o.Create, o.Rows)
	case o.Create != "":
		return createTable(ctx, server.DB(), o.Create, o.Rows)
	case o.Exec != "":
		return server.DB().Exec(ctx, o.Exec)
	case o.Statements:
		for _, s := range server.TakeStatements() {
			d.Statements = append(d.Statements, s.Kind+" "+s.SQL)
		}
		return nil
	}
	return errors.New("an order without content")
}

// createTable makes the table that all figures are about. Its index on the
// row version is what the agent's doctor advises.
func createTable(ctx context.Context, db *mssqltest.DB, name string, n int) error {
	err := db.Exec(ctx, `CREATE TABLE `+name+` (
		id int NOT NULL PRIMARY KEY,
		name nvarchar(100) NULL,
		amount decimal(18, 4) NOT NULL,
		at datetime2(7) NOT NULL,
		flag bit NOT NULL,
		guid uniqueidentifier NOT NULL,
		rv rowversion NOT NULL,
		INDEX ix_rv (rv))`)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same rows in every run
	return db.Fill(name, n, func(i int) []any { return values(r, i) })
}

// createNarrow makes a table of even keys and little else.
func createNarrow(ctx context.Context, db *mssqltest.DB, name string, n int) error {
	if err := db.Exec(ctx, "CREATE TABLE "+name+" (id int NOT NULL PRIMARY KEY, v smallint NOT NULL, rv rowversion NOT NULL, INDEX ix_rv (rv))"); err != nil {
		return err
	}
	return db.Fill(name, n, func(i int) []any { return []any{int64(2*i + 2), int64(i % 1000)} })
}

const text = "Überführung nach Łódź, customer reference and delivery note of the second order, paid in advance"

// values are a row's, but for the row version's: a text of 15 to 60
// characters, some of them not ASCII, and numbers that compress as badly as
// real ones.
func values(r *rand.Rand, i int) []any {
	n := 15 + r.IntN(46)
	runes := []rune(text)
	at := r.IntN(len(runes) - n)
	return []any{
		int64(i + 1),
		string(runes[at : at+n]),
		fmt.Sprintf("%d.%04d", r.IntN(1_000_000), r.IntN(10_000)),
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(int64(300*24*time.Hour)) / 100 * 100)),
		r.IntN(2) == 1,
		fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.Uint32N(1<<16), r.Uint32N(1<<12), r.Uint32N(1<<12), r.Uint64N(1<<48)),
	}
}
