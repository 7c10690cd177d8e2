package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// customer is the one that every fixture has, other one more.
const (
	customer = "acme"
	other    = "globex"
	table    = "dbo.t"
	epochA   = "epoch-a"
	epochB   = "epoch-b"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

var writer = wire.Writer{ID: "writer-1", Name: "site-a", Run: "run-1"}

// fixture is a store with two customers.
type fixture struct {
	cloud.Store
	options Options
	batches int
}

func newFixture(t *testing.T, o Options) *fixture {
	f := &fixture{Store: o.Open(t), options: o}
	for _, id := range []string{customer, other} {
		c := cloud.Customer{ID: id, Name: strings.ToUpper(id), Created: start}
		if err := f.AddCustomer(t.Context(), c, keyOf(id)); err != nil {
			t.Fatalf("AddCustomer(%s): %v", id, err)
		}
	}
	return f
}

func keyOf(secret string) cloud.Key {
	return cloud.Key{Hash: sha256.Sum256([]byte(secret)), Created: start}
}

func column(name, typ string) wire.Column {
	t, err := wire.ParseType(typ)
	if err != nil {
		panic(err)
	}
	return wire.Column{Name: name, Type: t, Nullable: true}
}

// schema makes the key's columns not nullable.
func schema(key []string, columns ...wire.Column) wire.Schema {
	s := wire.Schema{Columns: columns, Key: key, Versioning: wire.ByRowVersion}
	for _, i := range s.KeyIndexes() {
		s.Columns[i].Nullable = false
	}
	return s
}

// simple is the schema of most tests: an int key and a text.
var simple = schema([]string{"id"}, column("id", "int"), column("c", "nvarchar(40)"))

// site is one customer's table as its agent sees it.
type site struct {
	f        *fixture
	customer string
	table    string
	schema   wire.Schema
	epoch    string
	version  wire.Version
	token    string // of versions, when read
	versions wire.Versions
}

// tells checks that a token that is the same stands for the same versions.
func (s *site) tells(t *testing.T, all wire.Versions) {
	t.Helper()
	token, err := s.f.VersionsToken(t.Context(), s.customer)
	if err != nil {
		t.Fatalf("VersionsToken: %v", err)
	}
	if token == "" || token == s.token && !reflect.DeepEqual(all, s.versions) {
		t.Errorf("token %q stood for %+v, and stands for %+v", token, s.versions, all)
	}
	s.token, s.versions = token, all
}

// site registers a table.
func (f *fixture) site(t *testing.T, customer string, s wire.Schema) *site {
	t.Helper()
	return f.siteNamed(t, customer, table, s)
}

func (f *fixture) siteNamed(t *testing.T, customer, table string, s wire.Schema) *site {
	t.Helper()
	got, err := f.Register(t.Context(), customer, table, s)
	if err != nil {
		t.Fatalf("Register(%s, %s): %v", customer, table, err)
	}
	return &site{f: f, customer: customer, table: table, schema: s, epoch: epochA, version: got.Version}
}

// loaded registers a table and loads rows into it, watermark 100.
func (f *fixture) loaded(t *testing.T, customer string, s wire.Schema, rows ...string) *site {
	t.Helper()
	site := f.site(t, customer, s)
	site.load(t, rows...)
	return site
}

func (s *site) load(t *testing.T, rows ...string) wire.Answer {
	t.Helper()
	return s.mustApply(t, s.batch(wire.Load, rows, func(h *wire.Header) { h.Start, h.Complete, h.Watermark = true, true, ptr(uint64(100)) }))
}

// batch makes the batch that is next.
func (s *site) batch(kind wire.BatchKind, rows []string, change ...func(*wire.Header)) cloud.Batch {
	s.f.batches++
	h := wire.Header{Protocol: wire.Protocol, Kind: kind, Seq: s.version.Seq + 1, ID: fmt.Sprintf("%032x", s.f.batches),
		Writer: writer, Epoch: s.epoch, Schema: s.schema.Fingerprint(), Rows: len(rows)}
	if kind != wire.Delete {
		for _, c := range s.schema.Columns {
			h.Columns = append(h.Columns, c.Name)
		}
	}
	for _, f := range change {
		f(&h)
	}
	return cloud.Batch{Customer: s.customer, Table: s.table, Header: h, Schema: s.schema, Rows: &lines{text: rows}, Now: start}
}

func (s *site) apply(t *testing.T, b cloud.Batch) (wire.Answer, error) {
	t.Helper()
	send := s.f.Apply
	if b.Header.Kind == wire.Delete {
		send = s.f.Delete
	}
	a, err := send(t.Context(), b)
	if err == nil {
		s.version = a.Version
	}
	return a, err
}

func (s *site) mustApply(t *testing.T, b cloud.Batch) wire.Answer {
	t.Helper()
	a, err := s.apply(t, b)
	if err != nil {
		t.Fatalf("batch %d (%s): %v", b.Header.Seq, b.Header.Kind, err)
	}
	if n := a.Inserted + a.Updated + a.Unchanged + a.Deleted + a.Guarded + len(a.Refused); !a.Replayed && n != b.Header.Rows {
		t.Errorf("the answer accounts for %d of %d rows: %+v", n, b.Header.Rows, a)
	}
	return a
}

func (s *site) delta(t *testing.T, rows ...string) wire.Answer {
	t.Helper()
	return s.mustApply(t, s.batch(wire.Delta, rows))
}

func (s *site) remove(t *testing.T, rows ...string) wire.Answer {
	t.Helper()
	return s.mustApply(t, s.batch(wire.Delete, rows))
}

// rows reads the table as lines, each with its stamp in front.
func (s *site) rows(t *testing.T) []string {
	t.Helper()
	var all []string
	err := s.f.Rows(t.Context(), s.customer, s.table, func(r cloud.Row) error {
		line := `["` + string(ledger.AppendStamp(nil, r.Version, r.Epoch, 0)) + `"`
		for _, v := range r.Values {
			line += "," + string(v)
		}
		all = append(all, line+"]")
		return nil
	})
	if err != nil {
		t.Fatalf("Rows: %v", err)
	}
	return all
}

// has checks the rows, their number in the version, and the version itself.
func (s *site) has(t *testing.T, want ...string) {
	t.Helper()
	got := s.rows(t)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	v := s.read(t)
	if v.Rows != int64(len(want)) {
		t.Errorf("version says %d rows, there are %d", v.Rows, len(want))
	}
}

// read returns the version that the store has.
func (s *site) read(t *testing.T) wire.Version {
	t.Helper()
	got, err := s.f.Table(t.Context(), s.customer, s.table)
	if err != nil {
		t.Fatalf("Table: %v", err)
	}
	all, err := s.f.Versions(t.Context(), s.customer)
	if err != nil {
		t.Fatalf("Versions: %v", err)
	}
	s.tells(t, all)
	if all.Tables[s.table] != got.Version {
		t.Errorf("Versions says %+v, Table %+v", all.Tables[s.table], got.Version)
	}
	return got.Version
}

// wantProblem checks the code of an error, and returns the problem.
func wantProblem(t *testing.T, err error, code wire.Code) *wire.Problem {
	t.Helper()
	var p *wire.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("error %v, want a problem %s", err, code)
	}
	return p
}

func ptr[T any](v T) *T { return &v }

// lines is a cloud.RowSource over lines of the form that the wire has. A line
// that begins with "!" is a row with a Refusal; what follows is its key, or
// nothing when the key itself was refused.
type lines struct {
	text []string
	next int
	fail error // instead of io.EOF
	buf  [][]byte
}

func (l *lines) Rewind() error {
	l.next = 0
	return nil
}

func (l *lines) Next() (row cloud.Row, err error) {
	for _, field := range l.buf { // what a row held is valid until here
		clear(field)
	}
	if l.next == len(l.text) {
		if l.fail != nil {
			return row, l.fail
		}
		return row, io.EOF
	}
	text, refused := strings.CutPrefix(l.text[l.next], "!")
	row.Index = l.next
	l.next++
	if refused {
		row.Refusal = &wire.Refusal{Row: row.Index, Column: "c", Reason: "of the test"}
		l.buf = nil
		if text != "" {
			l.buf, err = wire.SplitRow([]byte(text), nil)
			row.Key = l.buf
		}
		return row, err
	}
	if l.buf, err = wire.SplitRow([]byte(text), l.buf); err != nil {
		return row, fmt.Errorf("line %d: %w", row.Index, err)
	}
	row.Version, row.Epoch, err = ledger.ParseStamp(l.buf[0][1 : len(l.buf[0])-1])
	row.Values = l.buf[1:]
	return row, err
}
