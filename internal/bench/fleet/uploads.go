package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/wire"
)

// leastUploads is of the rows a second that COPY and an upsert by hand make.
const leastUploads = 0.7

// measureUploads holds the upload path against the same batches by hand, one
// after the other: half of each are changes, half new rows.
func (b *bench) measureUploads(ctx context.Context) (err error) {
	dsn, counter, err := b.open(ctx, "data")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, counter.admin.Close(ctx)) }()
	p, through, err := newProxy(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := b.countStatements(ctx, counter.admin, through, p); err != nil {
		return err
	}
	clock := newClock()
	c, err := newCloudside(ctx, dsn, clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	const total = 100_000
	for i, size := range []int{1_000, 10_000, 50_000} {
		rounds := 3
		var ratios, ours, theirs []float64
		var used, usedByHand [2]time.Duration
		for round := range rounds {
			note("uploads of %d rows, round %d of %d", size, round+1, rounds)
			customer := 100 + i*rounds + round
			key, err := c.enrol(ctx, customer)
			if err != nil {
				return err
			}
			s, err := newStream(ctx, c, customer, key, fmt.Sprintf("dbo.size%d", size), total/2)
			if err != nil {
				return err
			}
			if err := c.caughtUp(ctx, counter.admin); err != nil {
				return errors.Join(err, s.client.Close())
			}
			u, err := b.uploadRound(ctx, s, counter.admin, customer, total, size)
			if err = errors.Join(err, s.client.Close()); err != nil {
				return err
			}
			ours, theirs, ratios = append(ours, u.ours), append(theirs, u.theirs), append(ratios, u.ours/u.theirs)
			for i := range used {
				used[i] += u.used[i]
				usedByHand[i] += u.byHand[i]
			}
		}
		slices.Sort(ratios)
		b.report.judge(fmt.Sprintf("rows/s in batches of %d, of COPY and upsert by hand", size), "at least 0.7", ratios[1] >= leastUploads,
			"%.2f (%.2f to %.2f): %.0f to %.0f", ratios[1], ratios[0], ratios[2], middle(ours), middle(theirs))
		million := float64(rounds*total) / 1e6
		b.report.add("  processor time of a million rows", "API and agent %.1f s, Postgres %.1f s; by hand %.1f s, %.1f s",
			used[0].Seconds()/million, used[1].Seconds()/million, usedByHand[0].Seconds()/million, usedByHand[1].Seconds()/million)
	}
	return nil
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// An uploaded is one round of uploads.
type uploaded struct {
	ours, theirs float64          // rows a second
	used, byHand [2]time.Duration // processor time of this process and of Postgres
}

// uploadRound sends batches through the API, and brings the same rows into a
// table of the same shape by hand.
func (b *bench) uploadRound(ctx context.Context, s *stream, conn *pgx.Conn, customer, total, size int) (u uploaded, err error) {
	hand := "hand" + strconv.Itoa(customer)
	if _, err = conn.Exec(ctx, handTable(hand)+"; "+handStage(hand)); err != nil {
		return u, err
	}
	first := len(s.db.versions)
	var lines wire.Lines
	s.db.above(0, &lines)
	if _, err := byHand(ctx, conn, hand, "customer", copyText(lines)); err != nil {
		return u, err
	}
	if err := s.prepare(total/size, size/2, size/2); err != nil {
		return u, err
	}
	texts := make([][]byte, len(s.ready))
	for i, p := range s.ready {
		texts[i] = copyText(p.raw)
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return u, err
	}
	send := func(int) error { return s.sendNext(ctx, wire.Header{Kind: wire.Delta}) }
	if u.ours, u.used, err = timed(ctx, conn, len(texts), total, send); err != nil {
		return u, err
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return u, err
	}
	u.theirs, u.byHand, err = timed(ctx, conn, len(texts), total, func(i int) error {
		_, err := byHand(ctx, conn, hand, "customer", texts[i])
		return err
	})
	if err != nil {
		return u, err
	}
	var rows int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM hand."+hand).Scan(&rows)
	if err == nil && rows != first+total/2 {
		err = fmt.Errorf("%d rows by hand, %d expected", rows, first+total/2)
	}
	return u, err
}

// timed does so many things that bring a total of rows, and returns rows a
// second and the processor time.
func timed(ctx context.Context, conn *pgx.Conn, times, rows int, do func(int) error) (rate float64, used [2]time.Duration, err error) {
	own, server, err := processorTimes(ctx, conn)
	if err != nil {
		return 0, used, err
	}
	begun := time.Now()
	for i := range times {
		if err := do(i); err != nil {
			return 0, used, err
		}
	}
	rate = float64(rows) / since(begun).Seconds()
	ownAfter, serverAfter, err := processorTimes(ctx, conn)
	return rate, [2]time.Duration{ownAfter - own, serverAfter - server}, err
}

// handTable makes a table of the shape that the store gives it, and handStage
// its staging table.
func handTable(name string) string {
	return `CREATE SCHEMA IF NOT EXISTS hand; CREATE TABLE hand.` + name + ` (customer_id text COLLATE "C", id integer, name text NOT NULL, amount numeric(18,2) NOT NULL,
		changed timestamp NOT NULL, note text, rv bigint NOT NULL, epoch integer NOT NULL, PRIMARY KEY (customer_id, id)) WITH (fillfactor = 90)`
}

func handStage(name string) string {
	return "CREATE TEMP TABLE stage_" + name + " (id integer, name text, amount numeric(18,2), changed timestamp, note text, rv bigint) ON COMMIT DELETE ROWS"
}

// byHand is one batch: COPY into a temporary table, one upsert from it.
func byHand(ctx context.Context, conn *pgx.Conn, table, customer string, text []byte) (int64, error) {
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(text), "COPY stage_"+table+" FROM STDIN"); err != nil {
		return 0, err
	}
	tag, err := conn.Exec(ctx, `INSERT INTO hand.`+table+` SELECT '`+customer+`', id, name, amount, changed, note, rv, 1 FROM stage_`+table+`
		ON CONFLICT (customer_id, id) DO UPDATE SET name = excluded.name, amount = excluded.amount, changed = excluded.changed, note = excluded.note,
		rv = excluded.rv, epoch = excluded.epoch`)
	if err != nil {
		return 0, err
	}
	_, err = conn.Exec(ctx, "COMMIT")
	return tag.RowsAffected(), err
}

// copyText makes COPY's text of row lines, by hand as well.
func copyText(lines wire.Lines) []byte {
	out := make([]byte, 0, len(lines.Buf))
	var raws [][]byte
	for line := range bytes.Lines(lines.Buf) {
		raws, _ = wire.SplitRow(bytes.TrimSuffix(line, []byte("\n")), raws) // lines of our own making
		for _, raw := range raws[1:] {
			if string(raw) == "null" {
				out = append(out, `\N`...)
			} else {
				out = append(out, bytes.Trim(raw, `"`)...)
			}
			out = append(out, '\t')
		}
		out = append(append(out, bytes.Trim(raws[0], `"`)...), '\n')
	}
	return out
}

// countStatements counts what batches of many sizes send to Postgres.
func (b *bench) countStatements(ctx context.Context, conn *pgx.Conn, dsn string, p *proxy) (err error) {
	c, err := newCloudside(ctx, dsn, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	key, err := c.enrol(ctx, 0)
	if err != nil {
		return err
	}
	s, err := newStream(ctx, c, 0, key, "dbo.counted", 20_000)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.client.Close()) }()
	if err := c.caughtUp(ctx, conn); err != nil { // until then batches write no log
		return err
	}
	counts := map[int]int64{}
	for _, size := range []int{1, 10, 100, 1_000, 2_000, 5_000, 20_000} {
		least := int64(1 << 62)
		for range 5 { // now and then the store folds, or measures what a batch reads
			inserts := min(size/2, 500) // a table that grows by half gets another layout, which is read once
			if err := s.prepare(1, size-inserts, inserts); err != nil {
				return err
			}
			before := p.statements()
			if err := s.sendNext(ctx, wire.Header{Kind: wire.Delta}); err != nil {
				return err
			}
			least = min(least, p.most(before))
		}
		counts[size] = least
	}
	// From 100 rows on two more measure what each batch reads; smaller ones are
	// measured now and then.
	constant := counts[1] == counts[10] && counts[100] == counts[1_000] && counts[100] == counts[2_000] && counts[5_000] == counts[20_000]
	b.report.judge("statements of a batch: 1 and 10 rows; 100, 1,000 and 2,000; 5,000 and 20,000", "constant", constant,
		"%d %d; %d %d %d; %d %d", counts[1], counts[10], counts[100], counts[1_000], counts[2_000], counts[5_000], counts[20_000])
	return nil
}
