package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
)

// kept is the row of a table's summary.
type kept struct {
	number    uint64
	ready     bool
	layout    summary.Layout
	nodes     []byte
	nodesSeq  uint64
	nodesAt   int64
	leavesSeq uint64
	leavesAt  int64
}

// loadSummary reads the row; the zero one when there is none.
func loadSummary(ctx context.Context, tx *sql.Tx, customer, table string) (k kept, err error) {
	var layout []byte
	var number, nodesSeq, leavesSeq int64
	err = tx.QueryRowContext(ctx, `SELECT number, ready, layout, nodes, nodes_seq, nodes_at, leaves_seq, leaves_at FROM summaries
		WHERE customer = ? AND name = ?`, customer, table).Scan(&number, &k.ready, &layout, &k.nodes, &nodesSeq, &k.nodesAt, &leavesSeq, &k.leavesAt)
	if errors.Is(err, sql.ErrNoRows) {
		return kept{}, nil
	}
	if err != nil {
		return kept{}, err
	}
	k.number, k.nodesSeq, k.leavesSeq = uint64(number), uint64(nodesSeq), uint64(leavesSeq)
	return k, json.Unmarshal(layout, &k.layout)
}

// save writes the row.
func (k *kept) save(ctx context.Context, tx *sql.Tx, customer, table string) error {
	layout, err := json.Marshal(k.layout)
	if err != nil {
		return err
	}
	if k.nodes == nil {
		k.nodes = []byte{}
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO summaries (customer, name, number, ready, layout, nodes, nodes_seq, nodes_at, leaves_seq, leaves_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, customer, table, int64(k.number), k.ready, string(layout), k.nodes,
		int64(k.nodesSeq), k.nodesAt, int64(k.leavesSeq), k.leavesAt)
	return err
}

// forget removes a summary but for the number of its layout.
func forget(ctx context.Context, tx *sql.Tx, customer, table string) error {
	for _, text := range []string{
		"UPDATE summaries SET ready = 0, nodes = x'' WHERE customer = ? AND name = ?",
		"DELETE FROM leaves WHERE customer = ? AND name = ?", "DELETE FROM log WHERE customer = ? AND name = ?"} {
		if _, err := tx.ExecContext(ctx, text, customer, table); err != nil {
			return err
		}
	}
	return nil
}

// eachEntry calls fn for the entries of the log behind a batch, in order.
func eachEntry(ctx context.Context, tx *sql.Tx, customer, table string, after uint64, fn func(seq uint64, entry []byte) error) error {
	rows, err := tx.QueryContext(ctx, "SELECT seq, entry FROM log WHERE customer = ? AND name = ? AND seq > ? ORDER BY seq", customer, table, int64(after))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var seq int64
		var entry []byte
		if err := rows.Scan(&seq, &entry); err != nil {
			return err
		}
		if err := fn(uint64(seq), entry); err != nil {
			return err
		}
	}
	return rows.Err()
}

// current is the blob of nodes with its tail.
func (k *kept) current(ctx context.Context, tx *sql.Tx, customer, table string) (*sums.Nodes, error) {
	nodes, err := sums.ParseNodes(k.nodes)
	if err != nil {
		return nil, err
	}
	return nodes, eachEntry(ctx, tx, customer, table, k.nodesSeq, func(_ uint64, entry []byte) error { return nodes.Add(entry) })
}

// tail reads the tail of the leaves.
func (k *kept) tail(ctx context.Context, tx *sql.Tx, customer, table string, only ...summary.Node) (*sums.Tail, error) {
	t := sums.NewTail(only...)
	return t, eachEntry(ctx, tx, customer, table, k.leavesSeq, t.Add)
}

// storedLeaves is a row of leaves.
type storedLeaves struct {
	node   summary.Node
	folded uint64
	anchor []byte
	cells  []byte
}

// eachLeaves calls fn for the leaves of the nodes named, or of all.
func eachLeaves(ctx context.Context, tx *sql.Tx, customer, table string, fn func(storedLeaves) error, nodes ...summary.Node) error {
	text, args := "SELECT node, folded, anchor, cells FROM leaves WHERE customer = ? AND name = ?", []any{customer, table}
	if len(nodes) > 0 {
		text += " AND node IN (" + strings.Repeat(", ?", len(nodes))[2:] + ")"
		for _, n := range nodes {
			args = append(args, int64(n))
		}
	}
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var l storedLeaves
		var node, folded int64
		if err := rows.Scan(&node, &folded, &l.anchor, &l.cells); err != nil {
			return err
		}
		l.node, l.folded = summary.Node(node), uint64(folded)
		if err := fn(l); err != nil {
			return err
		}
	}
	return rows.Err()
}

func writeLeaves(ctx context.Context, tx *sql.Tx, customer, table string, l storedLeaves) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO leaves (customer, name, node, folded, anchor, cells) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (customer, name, node) DO UPDATE SET folded = excluded.folded, anchor = coalesce(leaves.anchor, excluded.anchor), cells = excluded.cells`,
		customer, table, int64(l.node), int64(l.folded), l.anchor, l.cells)
	return err
}

// errNone says why a table has no summary to read.
type errNone struct {
	why    string
	wanted bool  // one can be made
	rows   int64 // of the table
}

func (e *errNone) Error() string { return e.why }

// readSummary reads what a question needs: a table whose summary is there.
func readSummary(ctx context.Context, tx *sql.Tx, customer, table string) (h held, k kept, err error) {
	if h, err = load(ctx, tx, customer, table); err != nil {
		return h, k, err
	}
	if !h.state.Version.Loaded {
		return h, k, &errNone{why: "its load is not complete"}
	}
	if k, err = loadSummary(ctx, tx, customer, table); err != nil {
		return h, k, err
	}
	if !h.mark.Kept(h.state) || k.number != h.mark.Number || !k.ready {
		return h, k, &errNone{"its summary is being made", true, h.state.Version.Rows}
	}
	return h, k, nil
}

// smallTable is up to how many rows a summary is made while somebody waits for
// it, and smallWait how long they do.
const (
	smallTable = 20_000
	smallWait  = 5 * time.Second
)

// question runs f on a table whose summary is there, in one state of the file.
// Where there is none it is made: at once for a small table, else soon.
func (s *Store) question(ctx context.Context, customer, table string, f func(*sql.Tx, held, kept) error) error {
	for made := false; ; made = true {
		err := s.read(ctx, func(tx *sql.Tx) error {
			h, k, err := readSummary(ctx, tx, customer, table)
			if err != nil {
				return err
			}
			return f(tx, h, k)
		})
		var none *errNone
		if errors.Is(err, sums.ErrBlob) { // scrub makes it anew
			s.upkeep.Ask(upkeep.Table{Customer: customer, Name: table})
			return err
		}
		if !errors.As(err, &none) {
			return err
		}
		t := upkeep.Table{Customer: customer, Name: table}
		if !made && none.wanted && none.rows <= smallTable {
			soon, cancel := context.WithTimeout(ctx, smallWait)
			err := s.tend(soon, t)
			cancel()
			if err == nil {
				continue
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		if none.wanted {
			s.upkeep.Ask(t)
		}
		return sums.NoSummary(table, none.why)
	}
}
