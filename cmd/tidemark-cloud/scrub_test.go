package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

// Scrub ends with 1 when something wrote past the API, and with 0 the next
// time.
func TestScrub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	for _, store := range []string{"sqlite:" + path, pgtest.Start(t)} {
		t.Setenv("TIDEMARK_STORE", store)
		loadSomething(t)
		var out bytes.Buffer
		scrub := func(want int, args ...string) string {
			t.Helper()
			out.Reset()
			if code := run(append([]string{"scrub"}, args...), nil, &out, &out); code != want {
				t.Fatalf("%s: scrub %v ended with %d: %s", store, args, code, &out)
			}
			return out.String()
		}
		if got := scrub(0); got != "acme dbo.t: right\n" {
			t.Errorf("%q", got)
		}
		if strings.HasPrefix(store, "sqlite:") {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), "UPDATE data_dbo_t SET _tm_rv = 7 WHERE id = 3"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if got := scrub(1, "--customer", "acme", "--table", "dbo.t"); !strings.Contains(got, "acme dbo.t: 1 leaves wrong, made anew\n") || !strings.Contains(got, "1 of 1 summaries") {
				t.Errorf("%q", got)
			}
		}
		if got := scrub(0, "--json"); !strings.Contains(got, `"wrong_leaves": 0`) {
			t.Errorf("%q", got)
		}
		scrub(6, "--customer", "nobody")
		scrub(6, "--table", "dbo.nothing")
		scrub(2, "dbo.t")
	}
}

// loadSomething makes a customer with one loaded table.
func loadSomething(t *testing.T) {
	t.Helper()
	s, err := (&app{}).open(t.Context(), postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	schema := siteSchema
	err = s.AddCustomer(t.Context(), cloud.Customer{ID: "acme", Created: time.Now()}, cloud.Key{Hash: sha256.Sum256(nil), Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), "acme", "dbo.t", schema); err != nil {
		t.Fatal(err)
	}
	_, err = s.Apply(t.Context(), cloud.Batch{Customer: "acme", Table: "dbo.t", Schema: schema, Now: time.Now(), Rows: &ids{n: 10},
		Header: wire.Header{Kind: wire.Load, Seq: 1, ID: "1", Writer: wire.Writer{ID: "w"}, Epoch: "e", Schema: schema.Fingerprint(),
			Rows: 10, Start: true, Complete: true}})
	if err != nil {
		t.Fatal(err)
	}
}

// ids are rows 0 to n - 1.
type ids struct{ at, n int }

func (r *ids) Rewind() error { r.at = 0; return nil }

func (r *ids) Next() (cloud.Row, error) {
	if r.at == r.n {
		return cloud.Row{}, io.EOF
	}
	r.at++
	return cloud.Row{Index: r.at - 1, Version: uint64(r.at), Values: [][]byte{fmt.Append(nil, r.at-1)}}, nil
}
