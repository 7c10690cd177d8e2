package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// What the ceiling is measured with: sessions that are never idle, and batches
// for each table.
const (
	ceilingSessions = 8
	ceilingBatches  = 5
)

// measureCeiling brings batches of 1,000 rows for all streams into tables of the
// same shape by hand, as fast as the machine allows: with neither API nor agents
// this is what any pace has to be below. The streams cannot send afterwards.
func (b *bench) measureCeiling(ctx context.Context, c counter, dsn string, streams []*stream) (err error) {
	note("pace: by hand")
	texts := make([][][]byte, len(streams))
	for i, s := range streams {
		if err := s.prepare(ceilingBatches, paceRows/2, paceRows/2); err != nil {
			return err
		}
		for _, p := range s.ready {
			texts[i] = append(texts[i], copyText(p.raw))
		}
		s.ready = nil
	}
	for j := range paceTables {
		// As many rows as there are before the batches, and in the same order.
		_, err := c.admin.Exec(ctx, fmt.Sprintf("%s; INSERT INTO hand.paced%d SELECT customer_id, id, name, amount, changed, note, _tm_rv, 1 FROM data.dbo_paced%d", handTable(fmt.Sprintf("paced%d", j)), j, j))
		if err != nil {
			return err
		}
	}
	if _, err := c.admin.Exec(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	own, server, err := processorTimes(ctx, c.admin)
	if err != nil {
		return err
	}
	var sessions sync.WaitGroup
	failed := make(chan error, ceilingSessions)
	begun := time.Now()
	for k := range ceilingSessions {
		sessions.Go(func() { failed <- handSession(ctx, dsn, texts, k) })
	}
	sessions.Wait()
	took := since(begun)
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	ownAfter, serverAfter, e := processorTimes(ctx, c.admin)
	if err = errors.Join(err, e); err != nil {
		return err
	}
	batches := float64(len(streams) * ceilingBatches)
	b.report.add(fmt.Sprintf("COPY and upsert by hand, batches of %d rows, %d sessions", paceRows, ceilingSessions),
		"%.0f a second; %s of Postgres and %s of the client for each", batches/took.Seconds(),
		ms(time.Duration(float64(serverAfter-server)/batches)), ms(time.Duration(float64(ownAfter-own)/batches)))
	return nil
}

// handSession brings in every eighth stream's batches, from k on.
func handSession(ctx context.Context, dsn string, texts [][][]byte, k int) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for j := range paceTables {
		if _, err := conn.Exec(ctx, handStage(fmt.Sprintf("paced%d", j))); err != nil {
			return err
		}
	}
	for n := range ceilingBatches {
		for i := k; i < len(texts); i += ceilingSessions {
			if _, err := byHand(ctx, conn, fmt.Sprintf("paced%d", i%paceTables), customerID(i/paceTables), texts[i][n]); err != nil {
				return err
			}
		}
	}
	return nil
}
