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
	if err := b.countStatements(ctx, through, p); err != nil {
		return err
	}
	clock := newClock()
	c, err := newCloudside(ctx, dsn, clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	const total = 200_000
	for i, size := range []int{1_000, 10_000, 50_000} {
		rounds := 3
		var ratios, ours, theirs []float64
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
			a, h, err := b.uploadRound(ctx, s, counter.admin, customer, total, size)
			if err = errors.Join(err, s.client.Close()); err != nil {
				return err
			}
			ours, theirs, ratios = append(ours, a), append(theirs, h), append(ratios, a/h)
		}
		slices.Sort(ratios)
		b.report.judge(fmt.Sprintf("rows/s in batches of %d, of COPY and upsert by hand", size), "at least 0.7", ratios[1] >= leastUploads,
			"%.2f (%.2f to %.2f): %.0f to %.0f", ratios[1], ratios[0], ratios[2], middle(ours), middle(theirs))
	}
	return nil
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// uploadRound sends batches through the API, and brings the same rows into a
// table of the same shape by hand. It returns rows a second of both.
func (b *bench) uploadRound(ctx context.Context, s *stream, conn *pgx.Conn, customer, total, size int) (ours, theirs float64, err error) {
	hand := "hand" + strconv.Itoa(customer)
	_, err = conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS hand; CREATE TABLE hand.`+hand+` (customer_id text COLLATE "C", id integer, name text NOT NULL, amount numeric(18,2) NOT NULL,
		changed timestamp NOT NULL, note text, rv bigint NOT NULL, epoch integer NOT NULL, PRIMARY KEY (customer_id, id)) WITH (fillfactor = 90);
		CREATE TEMP TABLE stage_`+hand+` (id integer, name text, amount numeric(18,2), changed timestamp, note text, rv bigint) ON COMMIT DELETE ROWS`)
	if err != nil {
		return 0, 0, err
	}
	first := len(s.db.versions)
	var lines wire.Lines
	s.db.above(0, &lines)
	if _, err := byHand(ctx, conn, hand, copyText(lines)); err != nil {
		return 0, 0, err
	}
	if err := s.prepare(total/size, size/2, size/2); err != nil {
		return 0, 0, err
	}
	texts := make([][]byte, len(s.ready))
	for i, p := range s.ready {
		texts[i] = copyText(p.raw)
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	for range texts {
		if err := s.sendNext(ctx, wire.Header{Kind: wire.Delta}); err != nil {
			return 0, 0, err
		}
	}
	ours = float64(total) / since(begun).Seconds()
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, 0, err
	}
	begun = time.Now()
	for _, text := range texts {
		if _, err := byHand(ctx, conn, hand, text); err != nil {
			return 0, 0, err
		}
	}
	theirs = float64(total) / since(begun).Seconds()
	var rows int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM hand."+hand).Scan(&rows)
	if err == nil && rows != first+total/2 {
		err = fmt.Errorf("%d rows by hand, %d expected", rows, first+total/2)
	}
	return ours, theirs, err
}

// byHand is one batch: COPY into a temporary table, one upsert from it.
func byHand(ctx context.Context, conn *pgx.Conn, table string, text []byte) (int64, error) {
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(text), "COPY stage_"+table+" FROM STDIN"); err != nil {
		return 0, err
	}
	tag, err := conn.Exec(ctx, `INSERT INTO hand.`+table+` SELECT 'customer', id, name, amount, changed, note, rv, 1 FROM stage_`+table+`
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
func (b *bench) countStatements(ctx context.Context, dsn string, p *proxy) (err error) {
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
	counts := map[int]int64{}
	for _, size := range []int{1, 10, 100, 1_000, 2_000, 5_000, 20_000} {
		least := int64(1 << 62)
		for range 5 { // now and then the store folds, or measures what a batch reads
			if err := s.prepare(1, size-size/2, size/2); err != nil {
				return err
			}
			before := p.statements.Load()
			if err := s.sendNext(ctx, wire.Header{Kind: wire.Delta}); err != nil {
				return err
			}
			least = min(least, p.statements.Load()-before)
		}
		counts[size] = least
	}
	few, many := counts[1], counts[5_000]
	constant := few == counts[10] && few == counts[100] && few == counts[1_000] && few == counts[2_000] && many == counts[20_000]
	b.report.judge("statements of a batch of 1 to 2,000 rows, and of 5,000 to 20,000", "constant", constant, "%d, %d", few, many)
	return nil
}
