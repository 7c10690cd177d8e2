package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a tds.Writer that keeps results as text.
type recorder struct {
	cols    []tds.Column
	rows    []string
	counts  []uint64
	infos   []string
	onRow   func()
	results int
}

func (r *recorder) Columns(c []tds.Column) error { r.cols = c; r.results++; return nil }

func (r *recorder) Row(v [][]byte) error {
	var parts []string
	for i, b := range v {
		a, err := tds.DecodeValue(r.cols[i].Type, b)
		if err != nil {
			return err
		}
		parts = append(parts, text(a))
	}
	r.rows = append(r.rows, strings.Join(parts, "|"))
	if r.onRow != nil {
		r.onRow()
	}
	return nil
}

func text(a any) string {
	switch a := a.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("%X", a)
	case [16]byte:
		return fmt.Sprintf("%X", a[:])
	case tds.VariantValue:
		return fmt.Sprintf("%v:%s", a.Type, text(a.Value))
	}
	return fmt.Sprint(a)
}

func (r *recorder) Done(n uint64, counted bool) error {
	if counted {
		r.counts = append(r.counts, n)
	}
	return nil
}

func (r *recorder) Info(e *tds.Error) error { r.infos = append(r.infos, e.Message); return nil }

type server struct {
	e  *engine.Engine
	db *engine.Database
}

func newServer(t testing.TB, o engine.DatabaseOptions) *server {
	t.Helper()
	e := engine.New(engine.Options{})
	return &server{e, e.AddDatabase("site", o)}
}

func (s *server) session(t testing.TB) *session {
	t.Helper()
	sess := s.e.Open(s.db)
	t.Cleanup(sess.Close)
	return &session{t, sess}
}

type session struct {
	t testing.TB
	*engine.Session
}

// try runs a batch.
func (s *session) try(sql string, params ...tds.Param) (*recorder, error) {
	s.t.Helper()
	r := &recorder{}
	return r, s.Batch(context.Background(), sql, params, r)
}

// exec runs batches that must succeed.
func (s *session) exec(batches ...string) {
	s.t.Helper()
	for _, b := range batches {
		if _, err := s.try(b); err != nil {
			s.t.Fatalf("%s\n%v", b, err)
		}
	}
}

// query gives the rows of a batch, values separated by |, rows by a space.
func (s *session) query(sql string, params ...tds.Param) string {
	s.t.Helper()
	r, err := s.try(sql, params...)
	if err != nil {
		s.t.Fatalf("%s\n%v", sql, err)
	}
	return strings.Join(r.rows, " ")
}

func number(err error) int32 {
	var e *tds.Error
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

func param(t testing.TB, name string, typ tds.Type, v any) tds.Param {
	t.Helper()
	b, err := tds.AppendValue(nil, typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return tds.Param{Name: name, Type: typ, Value: b}
}
