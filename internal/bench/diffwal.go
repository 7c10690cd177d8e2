package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
)

// A walFigure is how much write-ahead log a row costs, bytes.
type walFigure struct {
	summaries         bool
	appended, updated float64
}

func (f walFigure) String() string {
	with := "without"
	if f.summaries {
		with = "with"
	}
	return fmt.Sprintf("WAL %s summaries: %.0f bytes a row appended in batches of %d, %.0f updated at random in batches of %d", with, f.appended, appendBatch, f.updated, updateBatch)
}

func (r *diffReport) walGoals() []line {
	if len(r.wal) != 2 {
		return nil
	}
	none, kept := r.wal[0], r.wal[1]
	goal := func(what string, kept, none, most float64) line {
		return line{
			what: what, figure: fmt.Sprintf("%.0f bytes, without %.0f", kept, none), ratio: fmt.Sprintf("%.3f", kept/none),
			goal: fmt.Sprintf("at most %.2f", most), met: kept <= most*none,
		}
	}
	return []line{
		goal("WAL of an appended row", kept.appended, none.appended, mostAppendedWAL),
		goal("WAL of a row updated at random", kept.updated, none.updated, mostUpdatedWAL),
	}
}

// What is measured: 256 bytes of content a row.
const (
	walTable      = "dbo.logged"
	appendBatch   = 1000
	appendBatches = 200
	updateBatch   = 50
)

// measureWAL has the store take batches without and with summaries, each in a
// database of its own. What keeps summaries up beside the batches is in it.
func (b *bench) measureWAL(ctx context.Context, rows int, r *diffReport) error {
	for _, with := range []bool{false, true} {
		note("write-ahead log, summaries: %t", with)
		f, err := b.walOf(ctx, rows, with)
		if err != nil {
			return fmt.Errorf("write-ahead log: %w", err)
		}
		r.wal = append(r.wal, f)
	}
	return nil
}

func (b *bench) walOf(ctx context.Context, rows int, with bool) (f walFigure, err error) {
	f.summaries = with
	name, err := b.pg.CreateDatabase(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, b.pg.DropDatabase(ctx, name)) }()
	conn, err := pgx.Connect(ctx, b.pg.DSN(name))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	store, err := postgres.Open(ctx, b.pg.DSN(name), postgres.Options{WithoutSummaries: !with})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	w := &walWriter{store: store, conn: conn}
	if err := w.load(ctx, rows, with); err != nil {
		return f, err
	}
	if f.appended, err = w.measure(ctx, appendBatches, appendBatch, func(i int) int { return rows + i }); err != nil {
		return f, err
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in every run
	f.updated, err = w.measure(ctx, max(1000, rows/200), updateBatch, func(int) int { return r.IntN(rows) })
	return f, err
}
