package postgres_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

func canonInt(id int) []byte {
	return binary.BigEndian.AppendUint64([]byte{'i', 8}, uint64(id)^1<<63)
}

// What a comparison touches of the database: nearly nothing when both sides
// are equal, and of the rows nothing but the leaves asked about, also with as
// many batches not yet folded as there ever are.
func TestBuffersOfAComparison(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 50_000
	}
	s, conn := open(t, postgres.Options{})
	withoutAutovacuum(t, conn)
	acme := wideTable(t, s, conn, n)
	if _, err := s.Summarize(t.Context(), "acme", "wide"); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 340 {
		if i == 300 {
			if err := s.Fold(t.Context(), "acme", "wide"); err != nil {
				t.Fatal(err)
			}
		}
		rows := make([][]byte, 50)
		for j := range rows {
			rows[j] = wideRow(rnd.IntN(n), 2+i*50+j)
		}
		if _, err := s.Apply(t.Context(), acme.batch(wire.Delta, rows)); err != nil {
			t.Fatal(err)
		}
	}
	idle(t, conn)
	var tail int
	if err := conn.QueryRow(t.Context(), "SELECT sum(length(entry)) FROM tidemark.log").Scan(&tail); err != nil || tail < 30_000 {
		t.Fatalf("a tail of %d bytes, %v", tail, err)
	}
	exec(t, conn, "VACUUM data.wide") // as autovacuum does
	table, err := s.Table(t.Context(), "acme", "wide")
	if err != nil {
		t.Fatal(err)
	}
	var secret summary.Secret
	if err := secret.UnmarshalText([]byte(table.Secret)); err != nil {
		t.Fatal(err)
	}
	var tree *summary.Tree
	rows, others := touched(t, conn, func(s *postgres.Store) {
		if tree, err = s.Tree(t.Context(), "acme", "wide"); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("tail of %d bytes, %d leaves; equal: %d buffers", tail, tree.Leaves, rows+others)
	if rows != 0 || others >= 20 || tree.Root.Count != int64(n) {
		t.Errorf("equal: %d buffers of rows, %d others, %v", rows, others, tree.Root)
	}
	for _, d := range []int{1, 100} {
		var ids []int
		for i := range d {
			ids = append(ids, (2*i+1)*n/(2*d))
		}
		rows, others := touched(t, conn, func(s *postgres.Store) { askAbout(t, s, tree, secret, ids...) })
		t.Logf("%d leaves: %d buffers of rows, %d others", d, rows, others)
		// A leaf is some 128 rows, on six pages or seven, and what the updates
		// have moved elsewhere.
		if rows > int64(60*d) || d == 1 && rows+others > 100 {
			t.Errorf("%d leaves: %d buffers of rows, %d others", d, rows, others)
		}
	}
}

// A delete reads its row and no other, also in a table that is not much larger
// than the planner believes a stage to be that was never analysed.
func TestBuffersOfADelete(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	withoutAutovacuum(t, conn)
	acme := newSite(t, s, "acme", "narrow", "id int")
	var all [][]byte
	for i := range 100_000 {
		all = append(all, fmt.Appendf(nil, `["1",%d]`, i))
	}
	acme.load(all, 50_000)
	idle(t, conn)
	exec(t, conn, "VACUUM ANALYZE data.narrow")
	rows, others := touched(t, conn, func(s *postgres.Store) {
		a, err := s.Delete(t.Context(), acme.batch(wire.Delete, [][]byte{[]byte(`["1",7]`)}))
		if err != nil || a.Deleted != 1 {
			t.Errorf("%+v, %v", a, err)
		}
	})
	if rows > 50 {
		t.Errorf("%d buffers of rows, %d others", rows, others)
	}
}

// A batch that a program from before wrote, which knows no summaries, does not
// go unseen: the summary is made anew.
func TestBatchWithoutSummary(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int")
	acme.load([][]byte{[]byte(`["1",1]`)}, 1)
	before, err := s.Tree(t.Context(), "acme", "t")
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "INSERT INTO data.t (customer_id, id, _tm_rv, _tm_epoch) VALUES ('acme', 2, 2, 1)")
	exec(t, conn, "UPDATE tidemark.versions SET seq = seq + 1, rows = 2")
	acme.seq++
	acme.apply(wire.Delta, `["3",3]`)
	after, err := s.Tree(t.Context(), "acme", "t")
	if err != nil || after.Layout.Number <= before.Layout.Number || after.Root.Count != 3 {
		t.Errorf("%+v, then %+v, %v", before, after, err)
	}
}

// A making that died is taken over, and what it left is not read.
func TestMakingIsTakenOver(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int")
	acme.load([][]byte{[]byte(`["1",1]`)}, 1)
	if _, err := s.Tree(t.Context(), "acme", "t"); err != nil {
		t.Fatal(err)
	}
	idle(t, conn)
	exec(t, conn, "UPDATE tidemark.summaries SET ready = false, number = number + 1")
	exec(t, conn, "UPDATE tidemark.versions SET summary = summary + 1")
	exec(t, conn, "INSERT INTO tidemark.leaves SELECT customer, name, number + 1, node, folded, anchor, cells FROM tidemark.leaves")
	acme.apply(wire.Delta, `["2",2]`)
	tree, err := s.Tree(t.Context(), "acme", "t")
	if err != nil || tree.Root.Count != 2 {
		t.Errorf("%+v, %v", tree, err)
	}
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(DISTINCT number) FROM tidemark.leaves").Scan(&n); err != nil || n != 1 {
		t.Errorf("leaves of %d layouts, %v", n, err)
	}
}

// Scrub finds rows, leaves and nodes that were changed behind the store's
// back, and makes the summary anew.
func TestScrubFinds(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int")
	var rows [][]byte
	for i := range 3000 {
		rows = append(rows, fmt.Appendf(nil, `["%d",%d]`, i+1, i))
	}
	acme.load(rows, 1000)
	if _, err := s.Tree(t.Context(), "acme", "t"); err != nil {
		t.Fatal(err)
	}
	idle(t, conn)
	for _, test := range []struct {
		sql   string
		wrong int
	}{
		{"SELECT", 0},
		{"UPDATE data.t SET _tm_rv = 7 WHERE id = 1000", 1},
		{"UPDATE data.t SET _tm_epoch = 7 WHERE id IN (5, 2999)", 2},
		{"DELETE FROM data.t WHERE id = 77", 1},
		{"UPDATE tidemark.leaves SET cells = set_byte(cells, 45, (get_byte(cells, 45) + 1) % 256)", 1},
		{"UPDATE tidemark.leaves SET cells = 'x'", 1},
		{"UPDATE tidemark.summaries SET nodes = set_byte(nodes, 15, (get_byte(nodes, 15) + 1) % 256)", 1},
		{"UPDATE tidemark.summaries SET nodes = 'x'", 1},
		{"DELETE FROM tidemark.leaves", 1},
	} {
		exec(t, conn, test.sql)
		wrong, err := s.Scrub(t.Context(), "acme", "t")
		if err != nil || wrong < test.wrong || test.wrong == 0 && wrong > 0 {
			t.Errorf("%s: %d wrong, %v", test.sql, wrong, err)
		}
		if wrong, err := s.Scrub(t.Context(), "acme", "t"); err != nil || wrong != 0 {
			t.Errorf("%s: still %d wrong, %v", test.sql, wrong, err)
		}
	}
}

// A database from before summaries gets them: secrets at once, the summary of
// a table when somebody asks.
func TestDatabaseFromBefore(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int")
	acme.load([][]byte{[]byte(`["1",1]`), []byte(`["2",2]`)}, 10)
	newSite(t, s, "globex", "t", "id int").load([][]byte{[]byte(`["1",1]`)}, 10)
	idle(t, conn)
	exec(t, conn, "DROP TABLE tidemark.summaries, tidemark.leaves, tidemark.log, tidemark.invitations, tidemark.costs, tidemark.reports, tidemark.tokens")
	exec(t, conn, "DROP TABLE tidemark.control, tidemark.record, tidemark.observed, tidemark.operators")
	exec(t, conn, "ALTER TABLE tidemark.answers DROP recent")
	exec(t, conn, "ALTER TABLE tidemark.versions DROP secret, DROP summary, DROP summed, DROP logged")
	exec(t, conn, "DELETE FROM tidemark.migrations WHERE number >= 2")
	c := conn.Config()
	s, err := postgres.Open(t.Context(), fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", c.User, c.Port, c.Database), postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	secrets := map[string]bool{}
	for customer, n := range map[string]int64{"acme": 2, "globex": 1} {
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

// A session that dies while it makes a summary gives its lock up; batches have
// gone on, and whoever asks next has it made anew.
func TestSessionDiesWhileItMakesASummary(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := wideTable(t, s, conn, 150_000)
	idle(t, conn)
	made := make(chan error, 1)
	go func() {
		_, err := s.Summarize(context.WithoutCancel(t.Context()), "acme", "wide")
		made <- err
	}()
	for marked := false; !marked; { // it reads all rows now, and cannot end
		exec(t, conn, "COMMIT")
		exec(t, conn, "BEGIN")
		err := conn.QueryRow(t.Context(), "SELECT true FROM tidemark.summaries WHERE NOT ready FOR UPDATE").Scan(&marked)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		select {
		case err := <-made:
			t.Fatalf("it is made before anybody could end it: %v", err)
		default:
		}
	}
	acme.apply(wire.Delta, string(wideRow(5, 100)))
	if err := endStore(t, conn); err != nil {
		t.Fatal(err)
	}
	if err := <-made; !errors.Is(err, cloud.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	exec(t, conn, "COMMIT")
	for try := 0; s.Ready(t.Context()) != nil && try < 10; try++ { // other connections ended, too
	}
	acme.apply(wire.Delta, string(wideRow(6, 101)))
	var tree *summary.Tree
	for deadline := time.Now().Add(time.Minute); tree == nil; time.Sleep(20 * time.Millisecond) {
		var err error
		var p *wire.Problem
		if tree, err = s.Tree(t.Context(), "acme", "wide"); err != nil && (!errors.As(err, &p) || p.Code != wire.NoSummary || time.Now().After(deadline)) {
			t.Fatal(err)
		}
	}
	if wrong, err := s.Scrub(t.Context(), "acme", "wide"); wrong != 0 || err != nil || tree.Root.Count != 150_000 {
		t.Errorf("%v, %d leaves wrong, %v", tree.Root, wrong, err)
	}
}
