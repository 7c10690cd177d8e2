package postgres_test

import (
	"testing"
	"time"

	"tidemark/cloud/postgres"
)

// A store makes the summaries that processes before it left behind, however
// many tables need none, and leaves the others as they are.
func TestCatchUp(t *testing.T) {
	before, conn := open(t, postgres.Options{WithoutSummaries: true})
	acme := newSite(t, before, "acme", "t", "id int; v int")
	acme.load(nil, 1)
	// Both sides of so many others that a search goes on for pages.
	exec(t, conn, `INSERT INTO tidemark.versions (customer, name, schema) SELECT 'acme', chr(k) || n, '' FROM generate_series(1, 600) n, (VALUES (97), (122)) k (k)`)
	last := newSite(t, before, "zeta", "t", "id int; v int")
	last.load([][]byte{[]byte(`["1",1,1]`)}, 1)
	half := newSite(t, before, "half", "t", "id int; v int")
	half.load([][]byte{[]byte(`["1",1,1]`)}, 1)

	s, _ := openAt(t, conn.Config().ConnString())
	if _, err := s.Summarize(t.Context(), "half", "t"); err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "UPDATE tidemark.summaries SET ready = false WHERE customer = 'half'") // whoever made it ended
	s.CatchUp()
	waitFor(t, func() bool {
		var ready int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM tidemark.summaries WHERE ready").Scan(&ready); err != nil {
			t.Fatal(err)
		}
		return ready == 3
	})
	var others int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM tidemark.summaries WHERE name <> 't'").Scan(&others); err != nil || others > 0 {
		t.Errorf("%d summaries of tables that are not loaded, %v", others, err)
	}
}

// waitFor waits for what happens in the background.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for until := time.Now().Add(5 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it does not happen")
		}
	}
}
