package sqlite_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/wire"
)

// ids are rows 0 to n - 1 of a table that has nothing but an id.
type ids struct{ at, n int }

func (r *ids) Rewind() error { r.at = 0; return nil }

func (r *ids) Next() (cloud.Row, error) {
	if r.at == r.n {
		return cloud.Row{}, io.EOF
	}
	r.at++
	return cloud.Row{Index: r.at - 1, Version: uint64(r.at), Values: [][]byte{fmt.Append(nil, r.at-1)}}, nil
}

// load gives a customer a table of n rows.
func load(t *testing.T, s *sqlite.Store, customer string, n int) {
	t.Helper()
	schema := wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}
	err := s.AddCustomer(t.Context(), cloud.Customer{ID: customer, Created: time.Now()}, cloud.Key{Hash: sha256.Sum256([]byte(customer)), Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), customer, "t", schema); err != nil {
		t.Fatal(err)
	}
	_, err = s.Apply(t.Context(), cloud.Batch{Customer: customer, Table: "t", Schema: schema, Now: time.Now(), Rows: &ids{n: n},
		Header: wire.Header{Kind: wire.Load, Seq: 1, ID: "1", Writer: wire.Writer{ID: "w"}, Epoch: "e", Schema: schema.Fingerprint(), Rows: n, Start: true, Complete: true}})
	if err != nil {
		t.Fatal(err)
	}
}

// exec changes a file behind the store's back, once upkeep is through with it.
func exec(t *testing.T, path string, statements ...string) {
	t.Helper()
	execAt(t, path+"?_pragma=busy_timeout(600000)", statements...)
}

func execAt(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// A file from before summaries gets them: secrets at once, the summary of a
// table when somebody asks.
func TestFileFromBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	load(t, s, "acme", 1000)
	load(t, s, "globex", 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, path, "DROP TABLE control", "DROP TABLE record", "DROP TABLE observed", "CREATE TABLE policies (customer TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
		"DROP TABLE tokens", "DROP TABLE reports", "DROP TABLE costs", "DROP TABLE invitations", "DROP TABLE summaries", "DROP TABLE leaves", "DROP TABLE log",
		"DROP TABLE operators", "ALTER TABLE answers DROP COLUMN recent", "ALTER TABLE tables DROP COLUMN secret", "ALTER TABLE tables DROP COLUMN mark", "PRAGMA user_version = 1")
	s = open(t, path)
	secrets := map[string]bool{}
	for customer, n := range map[string]int64{"acme": 1000, "globex": 10} {
		table, err := s.Table(t.Context(), customer, "t")
		if err != nil || len(table.Secret) != 32 || secrets[table.Secret] {
			t.Errorf("%s: secret %q, %v", customer, table.Secret, err)
		}
		secrets[table.Secret] = true
		tree, err := s.Tree(t.Context(), customer, "t")
		if err != nil || tree.Root.Count != n {
			t.Errorf("%s: %+v, %v", customer, tree, err)
		}
	}
}

// Scrub finds rows, leaves and nodes that were changed behind the store's
// back, and makes the summary anew.
func TestScrubFinds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	load(t, s, "acme", 3000)
	if _, err := s.Tree(t.Context(), "acme", "t"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		sql   string
		wrong int
	}{
		{"SELECT 1", 0},
		{"UPDATE data_t SET _tm_rv = 7 WHERE id = 1000", 1},
		{"UPDATE data_t SET _tm_epoch = 7 WHERE id IN (5, 2999)", 2},
		{"DELETE FROM data_t WHERE id = 77", 1},
		{"UPDATE leaves SET cells = x'01'", 1},
		{"UPDATE summaries SET nodes = x'01'", 1},
		{"UPDATE summaries SET nodes = x'07'", 1},
		{"DELETE FROM leaves", 1},
	} {
		exec(t, path, test.sql)
		wrong, err := s.Scrub(t.Context(), "acme", "t")
		if err != nil || wrong < test.wrong || test.wrong == 0 && wrong > 0 {
			t.Errorf("%s: %d wrong, %v", test.sql, wrong, err)
		}
		if wrong, err := s.Scrub(t.Context(), "acme", "t"); err != nil || wrong != 0 {
			t.Errorf("%s: still %d wrong, %v", test.sql, wrong, err)
		}
	}
}

// Once closed, nothing of a store is left in its file, whatever upkeep was at
// work on.
func TestCloseLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	for i := range 30 {
		s := open(t, path)
		load(t, s, fmt.Sprint("customer", i), 1000)
		time.Sleep(time.Duration(i) * 300 * time.Microsecond)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		execAt(t, path, "BEGIN EXCLUSIVE", "ROLLBACK") // without waiting for anybody
	}
}

// A store makes the summaries that processes before it left behind.
func TestCatchUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	for i := range 3 {
		load(t, s, fmt.Sprint("c", i), 5)
		if _, err := s.Summarize(t.Context(), fmt.Sprint("c", i), "t"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	exec(t, path, "DELETE FROM summaries WHERE customer = 'c0'", "UPDATE summaries SET ready = 0 WHERE customer = 'c2'")
	open(t, path).CatchUp()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(600000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for ready := 0; ready < 3; time.Sleep(10 * time.Millisecond) {
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM summaries WHERE ready").Scan(&ready); err != nil {
			t.Fatal(err)
		}
	}
}
