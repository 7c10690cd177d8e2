package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The baseline is what Tidemark replaces, with its statements sent straight to
// Postgres: it has no API that costs anything, its statements are prepared
// once, and those that do not depend on each other go together.
//
// In every cycle it asks for every table's version, the highest row version
// that the customer's part of the table holds. A table that has not changed is
// skipped, up to a cap; any other is compared, key by key, with a manifest of
// the customer's part of the table. For each row that differs it asks whether
// the row is there, and inserts or updates it.
//
// Its tables lead with the customer, as does their one index, the primary key.
// For the last samples they get a second one, on customer and row version, so
// that a version is one look at an index.
type baseline struct {
	pool       *pgxpool.Pool
	statements atomic.Int64
	rows       atomic.Int64 // that were written
	diffs      atomic.Int64
}

// connections of the baseline, as many as the store of system A has.
const connections = 20

func newBaseline(ctx context.Context, dsn string) (*baseline, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	c.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	b := &baseline{pool: pool}
	if _, err = pool.Exec(ctx, "CREATE SCHEMA base"); err != nil {
		pool.Close()
		return nil, err
	}
	for i := range kinds {
		if err := b.create(ctx, i); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return b, nil
}

func (b *baseline) close() { b.pool.Close() }

// name of a kind of table.
func name(i int) string { return "base." + strings.TrimPrefix(kinds[i].name, "dbo.") }

func (b *baseline) create(ctx context.Context, i int) error {
	_, err := b.pool.Exec(ctx, `CREATE TABLE `+name(i)+` (customer_id text COLLATE "C", id integer, name text NOT NULL, amount numeric(18,2) NOT NULL,
		changed timestamp NOT NULL, note text, rv bigint NOT NULL, PRIMARY KEY (customer_id, id))`)
	return err
}

// fill copies what customers begin with, and has it vacuumed, as it would be
// by and by.
func (b *baseline) fill(ctx context.Context, i int, sites []*polled) error {
	at, key := 0, 0
	_, err := b.pool.CopyFrom(ctx, strings.Split(name(i), "."), []string{"customer_id", "id", "name", "amount", "changed", "note", "rv"},
		pgx.CopyFromFunc(func() ([]any, error) {
			for ; at < len(sites); at, key = at+1, 0 {
				if versions := sites[at].db.tables[i].versions; key < len(versions) {
					key++
					return sites[at].args(key, versions[key-1]), nil
				}
			}
			return nil, nil
		}))
	if err != nil {
		return err
	}
	_, err = b.pool.Exec(ctx, "VACUUM (ANALYZE) "+name(i))
	return err
}

// A polled is a customer's agent of the baseline.
type polled struct {
	base     *baseline
	customer string
	db       *database
	changes  changes
	skips    []int
	cycle    time.Time
}

func newPolled(b *baseline, number int, w workload, now time.Time) *polled {
	p := &polled{base: b, customer: customerID(number), db: newDatabase(initial), changes: changes{w: w, customer: number}}
	p.skips = make([]int, initial)
	for i := range p.skips { // somewhere on their way to the cap
		p.skips[i] = int(hash(p.customer+kinds[i].name) % (maxSkips + 1))
	}
	p.jump(now)
	return p
}

// jump goes to another time; what happens between does not.
func (p *polled) jump(now time.Time) {
	p.cycle = now.Add(time.Duration(hash("tick "+p.customer) % uint64(interval)))
	p.changes.skipTo(int(now.Sub(day0) / time.Hour))
}

func (p *polled) args(key int, version uint64) []any {
	r := content(key, version)
	var note any
	if r.note != "" {
		note = r.note
	}
	amount := pgNumeric(r.amount)
	return []any{p.customer, int32(key), r.name, amount, r.changed, note, int64(version)}
}

// due implements site.
func (p *polled) due() time.Time { return p.cycle }

// visit implements site: one cycle of all tables.
func (p *polled) visit(ctx context.Context, now time.Time) error {
	p.changes.until(p.db, now)
	p.cycle = p.cycle.Add(interval)
	var batch pgx.Batch
	for i := range p.skips {
		batch.Queue("SELECT coalesce(max(rv), 0) FROM "+name(i)+" WHERE customer_id = $1", p.customer)
	}
	versions := make([]int64, len(p.skips))
	if err := p.base.send(ctx, p.base.pool, &batch, func(i int, r pgx.BatchResults) error { return r.QueryRow().Scan(&versions[i]) }); err != nil {
		return err
	}
	for i, v := range versions {
		if uint64(v) == p.db.tables[i].high && p.skips[i] < maxSkips {
			p.skips[i]++
			continue
		}
		if err := p.diff(ctx, i); err != nil {
			return fmt.Errorf("%s of %s: %w", kinds[i].name, p.customer, err)
		}
		p.skips[i] = 0
	}
	return nil
}

// sender is a pool or a transaction.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// send sends statements and takes each one's result.
func (b *baseline) send(ctx context.Context, to sender, batch *pgx.Batch, take func(int, pgx.BatchResults) error) (err error) {
	if batch.Len() == 0 {
		return nil
	}
	b.statements.Add(int64(batch.Len()))
	results := to.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	for i := range batch.Len() {
		if err := take(i, results); err != nil {
			return err
		}
	}
	return nil
}

// diff compares all keys of a table and repairs row by row.
func (p *polled) diff(ctx context.Context, i int) error {
	p.base.diffs.Add(1)
	return pgx.BeginFunc(ctx, p.base.pool, func(tx pgx.Tx) error {
		p.base.statements.Add(1)
		rows, err := tx.Query(ctx, "SELECT id, rv FROM "+name(i)+" WHERE customer_id = $1", p.customer)
		if err != nil {
			return err
		}
		here := p.db.tables[i].versions
		there := make(map[int]uint64, len(here))
		var id int
		var rv int64
		if _, err := pgx.ForEachRow(rows, []any{&id, &rv}, func() error { there[id] = uint64(rv); return nil }); err != nil {
			return err
		}
		var write, surplus []int
		for at, version := range here {
			key := at + 1
			switch held, has := there[key]; {
			case version == 0 && has:
				surplus = append(surplus, key)
			case version > 0 && (!has || held != version):
				write = append(write, key)
			}
		}
		return p.repair(ctx, tx, i, write, surplus)
	})
}

func (p *polled) repair(ctx context.Context, tx pgx.Tx, i int, write, surplus []int) error {
	var looks pgx.Batch
	for _, key := range write {
		looks.Queue("SELECT EXISTS (SELECT FROM "+name(i)+" WHERE customer_id = $1 AND id = $2)", p.customer, int32(key))
	}
	there := make([]bool, len(write))
	if err := p.base.send(ctx, tx, &looks, func(n int, r pgx.BatchResults) error { return r.QueryRow().Scan(&there[n]) }); err != nil {
		return err
	}
	var writes pgx.Batch
	for n, key := range write {
		args := p.args(key, p.db.tables[i].versions[key-1])
		if there[n] {
			writes.Queue("UPDATE "+name(i)+" SET name = $3, amount = $4, changed = $5, note = $6, rv = $7 WHERE customer_id = $1 AND id = $2", args...)
		} else {
			writes.Queue("INSERT INTO "+name(i)+" (customer_id, id, name, amount, changed, note, rv) VALUES ($1, $2, $3, $4, $5, $6, $7)", args...)
		}
	}
	for _, key := range surplus {
		writes.Queue("DELETE FROM "+name(i)+" WHERE customer_id = $1 AND id = $2", p.customer, int32(key))
	}
	p.base.rows.Add(int64(writes.Len()))
	return p.base.send(ctx, tx, &writes, func(_ int, r pgx.BatchResults) error { _, err := r.Exec(); return err })
}

// add has the next kind of table polled, too.
func (p *polled) add() {
	p.db.add()
	p.skips = append(p.skips, 0)
}
