package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// Kinds of differences: what is wrong with the cloud's copy.
type differenceKind int

const (
	missing differenceKind = iota
	stale
	surplus
	kinds
)

func (k differenceKind) String() string { return [...]string{"missing", "stale", "surplus"}[k] }

// oldVersion is the row version of rows that the cloud has otherwise: one that
// the source's counter had long ago.
const oldVersion = 1

// planted are keys by kind.
type planted [kinds][]int64

func (p planted) counts() (n [kinds]int64) {
	for k, ids := range p {
		n[k] = int64(len(ids))
	}
	return n
}

// plant makes the cloud differ, by batches in the name of the agent: its
// summary stays true to its rows, and the agent knows nothing. The API of the
// site is not in the way: several servers may share a database.
func (s *diffSite) plant(ctx context.Context, p planted) (err error) {
	store, err := postgres.Open(ctx, s.database, postgres.Options{Connections: 4})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	t, err := store.Table(ctx, customer, diffTable)
	if err != nil {
		return err
	}
	w := &planter{store: store, table: t, seq: t.Version.Seq}
	var gone []cloudRow
	err = s.aside(ctx, func(conn *pgx.Conn) (err error) {
		gone, err = versionsOf(ctx, conn, s.data, slices.Concat(p[missing], p[stale]))
		return err
	})
	if err != nil {
		return err
	}
	if err := w.send(ctx, wire.Delete, gone); err != nil {
		return err
	}
	var old []cloudRow
	for _, ids := range [][]int64{p[stale], p[surplus]} {
		for _, id := range ids {
			old = append(old, cloudRow{id, oldVersion})
		}
	}
	return w.send(ctx, wire.Repair, old)
}

type cloudRow struct {
	id      int64
	version uint64
}

// versionsOf are the rows of these keys with the versions that the cloud has.
func versionsOf(ctx context.Context, conn *pgx.Conn, data string, ids []int64) ([]cloudRow, error) {
	rows, err := conn.Query(ctx, "SELECT id, _tm_rv FROM "+data+" WHERE customer_id = $1 AND id = ANY ($2)", customer, ids)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c cloudRow, err error) {
		var version int64
		err = r.Scan(&c.id, &version)
		c.version = uint64(version)
		return c, err
	})
	if err == nil && len(found) != len(ids) {
		err = fmt.Errorf("the cloud has %d rows of %d", len(found), len(ids))
	}
	return found, err
}

// A planter sends batches as the agent does.
type planter struct {
	store *postgres.Store
	table wire.Table
	seq   uint64
}

const plantedAtOnce = 10_000

func (w *planter) send(ctx context.Context, kind wire.BatchKind, rows []cloudRow) error {
	apply, columns := w.store.Apply, len(w.table.Schema.Columns)
	if kind == wire.Delete {
		apply, columns = w.store.Delete, len(w.table.Schema.Key)
	}
	for len(rows) > 0 {
		part := rows[:min(plantedAtOnce, len(rows))]
		rows = rows[len(part):]
		w.seq++
		v := w.table.Version
		a, err := apply(ctx, cloud.Batch{
			Customer: customer, Table: diffTable, Schema: w.table.Schema, Now: time.Now(), Rows: &narrowRows{rows: part, columns: columns},
			Header: wire.Header{
				Protocol: wire.Protocol, Kind: kind, Seq: w.seq, ID: fmt.Sprintf("%032x", w.seq), Writer: v.Writer,
				Epoch: v.Epoch, Schema: v.Schema, Rows: len(part),
			},
		})
		if err != nil {
			return fmt.Errorf("plant: %w", err)
		}
		if a.Deleted+a.Inserted != len(part) {
			return fmt.Errorf("plant: %+v for %d rows", a, len(part))
		}
	}
	return nil
}

// narrowRows are rows of the table of the diff, as a body would bring them.
type narrowRows struct {
	rows    []cloudRow
	columns int
	next    int
	id      []byte
}

var narrowValue = []byte("7")

func (n *narrowRows) Rewind() error { n.next = 0; return nil }

func (n *narrowRows) Next() (cloud.Row, error) {
	if n.next == len(n.rows) {
		return cloud.Row{}, io.EOF
	}
	r := n.rows[n.next]
	n.id = strconv.AppendInt(n.id[:0], r.id, 10)
	row := cloud.Row{Index: n.next, Version: r.version, Values: [][]byte{n.id, narrowValue}[:n.columns]}
	n.next++
	return row, nil
}
