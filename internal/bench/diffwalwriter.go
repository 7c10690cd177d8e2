package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// A walWriter sends batches straight into a store.
type walWriter struct {
	store   *postgres.Store
	conn    *pgx.Conn
	schema  wire.Schema
	seq     uint64
	version uint64
}

// load makes a table whose load is complete. Its rows come in beside the
// store, which is quicker.
func (w *walWriter) load(ctx context.Context, rows int, with bool) error {
	now := time.Now()
	err := w.store.AddCustomer(ctx, cloud.Customer{ID: customer, Created: now}, cloud.Key{Hash: sha256.Sum256([]byte(customer)), Created: now})
	if err != nil {
		return err
	}
	w.schema = wire.Schema{
		Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}, {Name: "payload"}},
		Key:     []string{"id"}, Versioning: wire.ByRowVersion,
	}
	if w.schema.Columns[1].Type, err = wire.ParseType("varchar(300)"); err != nil {
		return err
	}
	if _, err := w.store.Register(ctx, customer, walTable, w.schema); err != nil {
		return err
	}
	h := wire.Header{Kind: wire.Load, Start: true, Complete: true, Watermark: new(uint64)}
	if _, err := w.apply(ctx, h, nil); err != nil {
		return err
	}
	data, err := dataTable(ctx, w.conn)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO %s (customer_id, id, payload, _tm_rv, _tm_epoch) SELECT '%s', i, repeat('p', 256), 1, 1 FROM generate_series(0, %d) i`, data, customer, rows-1),
		fmt.Sprintf("UPDATE tidemark.versions SET rows = %d", rows),
		"VACUUM (ANALYZE) " + data,
		"ALTER TABLE " + data + " SET (autovacuum_enabled = off)", // it writes when it likes
	} {
		if _, err := w.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	w.version = 1
	if with {
		_, err = w.store.Summarize(ctx, customer, walTable)
	}
	return err
}

// measure sends batches of rows and returns the bytes logged for each row.
func (w *walWriter) measure(ctx context.Context, batches, size int, id func(int) int) (float64, error) {
	const at = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
	var before, after int64
	if err := w.conn.QueryRow(ctx, at).Scan(&before); err != nil {
		return 0, err
	}
	sent := 0
	for i := range batches {
		ids := make([]int, 0, size)
		for len(ids) < size {
			if next := id(i*size + len(ids)); !slices.Contains(ids, next) {
				ids = append(ids, next)
			}
		}
		a, err := w.apply(ctx, wire.Header{Kind: wire.Delta}, ids)
		if err != nil {
			return 0, err
		}
		sent += a.Inserted + a.Updated
	}
	if sent != batches*size {
		return 0, fmt.Errorf("%d rows of %d changed", sent, batches*size)
	}
	if err := w.rest(ctx); err != nil {
		return 0, err
	}
	err := w.conn.QueryRow(ctx, at).Scan(&after)
	return float64(after-before) / float64(sent), err
}

// rest waits until no upkeep is running.
func (w *walWriter) rest(ctx context.Context) error {
	for quiet := 0; quiet < 5; quiet++ {
		var running int
		if err := w.conn.QueryRow(ctx, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = x'746d73'::int").Scan(&running); err != nil {
			return err
		}
		if running > 0 {
			quiet = 0
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

func (w *walWriter) apply(ctx context.Context, h wire.Header, ids []int) (wire.Answer, error) {
	w.seq++
	h.Protocol, h.Seq, h.ID, h.Writer = wire.Protocol, w.seq, fmt.Sprintf("%032x", w.seq), wire.Writer{ID: "bench"}
	h.Epoch, h.Schema, h.Rows = "first", w.schema.Fingerprint(), len(ids)
	return w.store.Apply(ctx, cloud.Batch{
		Customer: customer, Table: walTable, Header: h, Schema: w.schema, Now: time.Now(), Rows: &walRows{w: w, ids: ids, version: w.version},
	})
}

// walRows are rows with content that is another in every version.
type walRows struct {
	w       *walWriter
	ids     []int
	version uint64
	next    int
}

func (r *walRows) Rewind() error { r.next, r.w.version = 0, r.version; return nil }

func (r *walRows) Next() (cloud.Row, error) {
	if r.next == len(r.ids) {
		return cloud.Row{}, io.EOF
	}
	r.w.version++
	payload := []byte{'"'}
	for part := range 4 {
		sum := sha256.Sum256(fmt.Append(nil, r.ids[r.next], r.w.version, part))
		payload = hex.AppendEncode(payload, sum[:])
	}
	row := cloud.Row{Index: r.next, Version: r.w.version, Values: [][]byte{fmt.Append(nil, r.ids[r.next]), append(payload, '"')}}
	r.next++
	return row, nil
}
