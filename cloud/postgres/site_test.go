package postgres_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// lines is a RowSource over the lines of a body, checked as package cloud
// does it. Stamps are as in a manifest.
type lines struct {
	types []wire.Type
	text  [][]byte
	next  int
	buf   [][]byte
}

func (l *lines) Rewind() error {
	l.next = 0
	return nil
}

func (l *lines) Next() (cloud.Row, error) {
	if l.next == len(l.text) {
		return cloud.Row{}, io.EOF
	}
	var err error
	if l.buf, err = wire.SplitRow(l.text[l.next], l.buf); err != nil {
		return cloud.Row{}, err
	}
	row := cloud.Row{Index: l.next, Values: l.buf[1:]}
	l.next++
	for i, raw := range row.Values {
		if string(raw) != "null" {
			if err := wire.CheckValue(l.types[i], raw); err != nil {
				return row, err
			}
		}
	}
	for _, c := range l.buf[0][1 : len(l.buf[0])-1] {
		row.Version = row.Version*10 + uint64(c-'0')
	}
	return row, nil
}

// A site sends batches of one customer's table.
type site struct {
	*postgres.Store
	t        testing.TB
	customer string
	table    string
	schema   wire.Schema
	seq      uint64
}

const epoch = "epoch-a"

// newSite registers a table for a new customer. Columns are "name type",
// separated by semicolons; the first is the key.
func newSite(t testing.TB, s *postgres.Store, customer, table, columns string) *site {
	t.Helper()
	schema := wire.Schema{Versioning: wire.ByRowVersion}
	for _, c := range strings.Split(columns, ";") {
		name, typ, _ := strings.Cut(strings.TrimSpace(c), " ")
		parsed, err := wire.ParseType(typ)
		if err != nil {
			t.Fatal(err)
		}
		schema.Columns = append(schema.Columns, wire.Column{Name: name, Type: parsed, Nullable: len(schema.Columns) > 0})
	}
	schema.Key = []string{schema.Columns[0].Name}
	err := s.AddCustomer(t.Context(), cloud.Customer{ID: customer, Created: time.Now()}, cloud.Key{Hash: sha256.Sum256([]byte(customer)), Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), customer, table, schema); err != nil {
		t.Fatal(err)
	}
	return &site{Store: s, t: t, customer: customer, table: table, schema: schema}
}

// batch makes the next batch of the table.
func (s *site) batch(kind wire.BatchKind, text [][]byte) cloud.Batch {
	s.seq++
	types := s.schema.KeyTypes()
	if kind != wire.Delete {
		types = nil
		for _, c := range s.schema.Columns {
			types = append(types, c.Type)
		}
	}
	return cloud.Batch{
		Customer: s.customer, Table: s.table, Schema: s.schema, Now: time.Now(), Rows: &lines{types: types, text: text},
		Header: wire.Header{
			Protocol: wire.Protocol, Kind: kind, Seq: s.seq, ID: fmt.Sprintf("%032x", s.seq), Writer: wire.Writer{ID: "w"},
			Epoch: epoch, Schema: s.schema.Fingerprint(), Rows: len(text),
		},
	}
}

// load sends the rows as a whole load, in batches of size.
func (s *site) load(text [][]byte, size int) {
	s.t.Helper()
	for at := 0; ; at += size {
		part := text[at:min(at+size, len(text))]
		b := s.batch(wire.Load, part)
		b.Header.Start = at == 0
		if b.Header.Complete = at+size >= len(text); b.Header.Complete {
			b.Header.Watermark = new(uint64)
		}
		a, err := s.Apply(s.t.Context(), b)
		if err != nil {
			s.t.Fatal(err)
		}
		if a.Inserted != len(part) {
			s.t.Fatalf("inserted %d of %d rows: %+v", a.Inserted, len(part), a)
		}
		if b.Header.Complete {
			return
		}
	}
}

// apply sends one batch and returns its answer.
func (s *site) apply(kind wire.BatchKind, text ...string) wire.Answer {
	s.t.Helper()
	rows := make([][]byte, len(text))
	for i := range text {
		rows[i] = []byte(text[i])
	}
	send := s.Apply
	if kind == wire.Delete {
		send = s.Delete
	}
	a, err := send(s.t.Context(), s.batch(kind, rows))
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

const narrow = "id int; name nvarchar(100); amount decimal(18,4); at datetime2(7); ok bit; uid uniqueidentifier"

// narrowRows are n rows of the narrow table from id first on, in row versions
// from rv on.
func narrowRows(first, n int, rv uint64) [][]byte {
	rows := make([][]byte, n)
	for i := range rows {
		id := first + i
		sum := sha256.Sum256(fmt.Append(nil, id, rv))
		rows[i] = fmt.Appendf(nil, `["%d",%d,"Customer number %d of row version %d","%d.%04d","2026-%02d-%02dT%02d:%02d:%02d.%07d",%t,"%x-%x-%x-%x-%x"]`,
			rv+uint64(i), id, id, rv, id%100000, id%10000, id%12+1, id%28+1, id%24, id%60, id%59, id%10_000_000, id%2 == 0,
			sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	return rows
}
