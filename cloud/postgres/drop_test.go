package postgres_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// A table goes in steps, and only the customer's.
func TestDropAndRemove(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	rows := make([][]byte, 25_000)
	for i := range rows {
		rows[i] = fmt.Appendf(nil, `["%d",%d]`, i+1, i)
	}
	acme, globex := newSite(t, s, "acme", "t", "id int"), newSite(t, s, "globex", "t", "id int")
	acme.load(rows, 5000)
	globex.load(rows[:10], 10)
	a, err := s.Drop(t.Context(), "acme", "t", cloud.Drop{Writer: wire.Writer{ID: "w"}})
	if err != nil || a.Deleted != len(rows) || a.Version.Rows != 0 || a.Version.Seq != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if len(acme.rows()) != 0 || len(globex.rows()) != 10 {
		t.Errorf("%d and %d rows are left", len(acme.rows()), len(globex.rows()))
	}
	acme.seq = 0
	acme.load(rows, 5000)
	if err := s.RemoveCustomer(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if len(globex.rows()) != 10 {
		t.Errorf("%d rows of another customer are left", len(globex.rows()))
	}
	for _, table := range []string{"data.t WHERE customer_id", "tidemark.versions WHERE customer", "tidemark.schemas WHERE customer",
		"tidemark.answers WHERE customer", "tidemark.keys WHERE customer", "tidemark.customers WHERE id"} {
		n, err := pgx.CollectExactlyOneRow(query(t, conn, "SELECT count(*) FROM "+table+" = 'acme'"), pgx.RowTo[int])
		if err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v", table, n, err)
		}
	}
}

// Pages are in the order of the primary key and join without a gap.
func TestListPages(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "k nvarchar(50)")
	letters := []rune("aAé\tß")
	rows := make([][]byte, 100)
	for i := range rows {
		rows[i] = append(wire.AppendString(fmt.Appendf(nil, `["%d",`, i+1), fmt.Sprintf("%c %d", letters[i%len(letters)], i)), ']')
	}
	acme.load(rows, 1000)
	want := map[string]bool{}
	for _, r := range rows {
		want[string(r)] = true
	}
	for _, size := range []cloud.Manifest{{Bytes: 1 << 20, Header: wire.ManifestHeader{Limit: 7}}, {Bytes: 60, Header: wire.ManifestHeader{Limit: 1000}}, {Bytes: 1, Header: wire.ManifestHeader{Limit: 10}}} {
		m := size
		m.Customer, m.Table, m.Schema = "acme", "t", acme.schema
		m.Header.Epoch, m.Header.Schema = epoch, acme.schema.Fingerprint()
		var out wire.Lines
		for pages := 0; ; pages++ {
			h, err := s.List(t.Context(), m, &out)
			if err != nil || pages > 200 {
				t.Fatal(pages, err)
			}
			if m.Header.After = h.Next; h.Next == "" {
				break
			}
		}
		got := 0
		for line := range bytes.Lines(out.Buf) {
			if !want[string(bytes.TrimSpace(line))] {
				t.Errorf("line %s", line)
			}
			got++
		}
		if got != 100 || out.N != 100 {
			t.Errorf("%d and %d lines", got, out.N)
		}
	}
}
