package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
)

// kept is a table's version and the row of its summary, of one moment.
type kept struct {
	st        state
	number    uint64
	ready     bool
	layout    summary.Layout
	nodes     []byte
	nodesSeq  uint64
	nodesAt   int64
	leavesSeq uint64
	leavesAt  int64
}

const readKept = "SELECT " + versionColumns + `,
	coalesce(s.number, 0), coalesce(s.ready, false), coalesce(s.layout, '{}'), coalesce(s.nodes, ''),
	coalesce(s.nodes_seq, 0), coalesce(s.nodes_at, 0), coalesce(s.leaves_seq, 0), coalesce(s.leaves_at, 0)
	FROM tidemark.versions v LEFT JOIN tidemark.summaries s ON s.customer = v.customer AND s.name = v.name
	WHERE v.customer = $1 AND v.name = $2`

// beginKept begins a transaction that sees one moment and reads the table.
func (c *session) beginKept(ctx context.Context, customer, table string) (k kept, err error) {
	var layout []byte
	var number, nodesSeq, leavesSeq int64
	err = c.pipeline(ctx, statement{sql: beginRead}, statement{sql: readKept, args: []any{customer, table},
		scan: append(k.st.columns(), &number, &k.ready, &layout, &k.nodes, &nodesSeq, &k.nodesAt, &leavesSeq, &k.leavesAt)})
	if errors.Is(err, pgx.ErrNoRows) {
		return k, unregistered(table)
	}
	if err != nil {
		return k, err
	}
	k.st.scanned()
	k.number, k.nodesSeq, k.leavesSeq = uint64(number), uint64(nodesSeq), uint64(leavesSeq)
	return k, json.Unmarshal(layout, &k.layout)
}

// errNone says why a table has no summary to read.
type errNone struct {
	why    string
	wanted bool  // one can be made
	rows   int64 // of the table
}

func (e *errNone) Error() string { return e.why }

// check is an errNone where there is no summary.
func (k *kept) check() error {
	switch {
	case !k.st.Version.Loaded:
		return &errNone{why: "its load is not complete"}
	case !k.st.mark.Kept(k.st.State) || k.number != k.st.mark.Number || !k.ready:
		return &errNone{"its summary is being made", true, k.st.Version.Rows}
	}
	return nil
}

// forget removes a summary but for the number of its layout.
func forget(customer, table string) []statement {
	var all []statement
	for _, sql := range []string{
		"UPDATE tidemark.summaries SET ready = false, nodes = '' WHERE customer = $1 AND name = $2",
		"DELETE FROM tidemark.leaves WHERE customer = $1 AND name = $2",
		"DELETE FROM tidemark.log WHERE customer = $1 AND name = $2",
	} {
		all = append(all, statement{sql: sql, args: []any{customer, table}})
	}
	return all
}

// eachEntry calls fn for the entries of the log behind a batch, in order.
func (c *session) eachEntry(ctx context.Context, customer, table string, after uint64, fn func(seq uint64, entry []byte) error) error {
	rows, err := c.Query(ctx, "SELECT seq, entry FROM tidemark.log WHERE customer = $1 AND name = $2 AND seq > $3 ORDER BY seq", customer, table, int64(after))
	if err != nil {
		return err
	}
	var seq int64
	var entry []byte
	_, err = pgx.ForEachRow(rows, []any{&seq, &entry}, func() error { return fn(uint64(seq), entry) })
	return err
}

// current is the blob of nodes with its tail.
func (k *kept) current(ctx context.Context, c *session, customer, table string) (*sums.Nodes, error) {
	nodes, err := sums.ParseNodes(k.nodes)
	if err != nil {
		return nil, err
	}
	return nodes, c.eachEntry(ctx, customer, table, k.nodesSeq, func(_ uint64, entry []byte) error { return nodes.Add(entry) })
}

// tail reads the tail of the leaves.
func (k *kept) tail(ctx context.Context, c *session, customer, table string, only ...summary.Node) (*sums.Tail, error) {
	t := sums.NewTail(only...)
	return t, c.eachEntry(ctx, customer, table, k.leavesSeq, t.Add)
}

// storedLeaves is a row of leaves.
type storedLeaves struct {
	node   summary.Node
	folded uint64
	anchor []byte
	cells  []byte
}

// eachLeaves calls fn for the leaves of the nodes named, or of all.
func (k *kept) eachLeaves(ctx context.Context, c *session, customer, table string, fn func(storedLeaves) error, nodes ...summary.Node) error {
	sql := "SELECT node, folded, anchor, cells FROM tidemark.leaves WHERE customer = $1 AND name = $2 AND number = $3"
	args := []any{customer, table, int64(k.number)}
	if len(nodes) > 0 {
		ids := make([]int64, len(nodes))
		for i, n := range nodes {
			ids[i] = int64(n)
		}
		sql, args = sql+" AND node = ANY ($4)", append(args, ids)
	}
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var node, folded int64
	var l storedLeaves
	_, err = pgx.ForEachRow(rows, []any{&node, &folded, &l.anchor, &l.cells}, func() error {
		l.node, l.folded = summary.Node(node), uint64(folded)
		return fn(l)
	})
	return err
}

// A summary of a small table is made while somebody waits for it, and for no
// longer than this.
const (
	smallTable = 20_000 // rows
	smallWait  = 5 * time.Second
)

// question runs f on a table whose summary is there, in a transaction that
// sees one moment. Where there is none it is made: at once for a small table,
// else soon.
func (s *Store) question(ctx context.Context, customer, table string, f func(*session, kept) error) error {
	t := upkeep.Table{Customer: customer, Name: table}
	for made := false; ; made = true {
		err := s.runOn(ctx, table, 0, func(c *session) error {
			k, err := c.beginKept(ctx, customer, table)
			if err != nil {
				return err
			}
			if err := k.check(); err != nil {
				return err
			}
			if err := f(c, k); err != nil {
				return err
			}
			return c.commit(ctx)
		})
		var none *errNone
		if errors.Is(err, sums.ErrBlob) {
			s.upkeep.Ask(t)
		}
		if !errors.As(err, &none) {
			return err
		}
		if !made && none.wanted && none.rows <= smallTable && !s.options.WithoutSummaries {
			soon, cancel := context.WithTimeout(ctx, smallWait)
			err := s.look(soon, t, true)
			cancel()
			if err == nil {
				continue
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				return unavailable(err)
			}
		}
		if none.wanted && !s.options.WithoutSummaries {
			s.upkeep.Ask(t)
		}
		return sums.NoSummary(table, none.why)
	}
}
