package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tidemark/internal/wire"
	"tidemark/uploader"
)

// A stream is the batches of one table of one customer, made before they are
// sent: an agent compresses a batch while the one before is on its way.
type stream struct {
	client  *uploader.Client
	table   string
	version wire.Version
	run     string
	db      table
	counter uint64
	random  *rand.Rand
	ready   []packed
}

type packed struct {
	lines     []byte
	raw       wire.Lines
	rows      int
	watermark uint64
}

// newStream registers a table and loads its first rows.
func newStream(ctx context.Context, c *cloudside, customer int, key, table string, rows int) (*stream, error) {
	client, err := uploader.New(uploader.Config{BaseURL: c.url, Customer: customerID(customer), Transport: c.recorder,
		Key: func() (string, error) { return key, nil }, UserAgent: "tidemark-bench"})
	if err != nil {
		return nil, err
	}
	s := &stream{client: client, table: table, run: "1", random: rand.New(rand.NewPCG(uint64(customer), hash(table)))}
	registered, err := client.Register(ctx, table, schema)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	s.version = registered.Version
	if err := s.prepare(1, 0, rows); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	h := wire.Header{Kind: wire.Load, Start: true, Complete: true, Cursor: new(string)}
	if err := s.sendNext(ctx, h); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return s, nil
}

// prepare makes batches of so many changed and so many new rows.
func (s *stream) prepare(batches, updates, inserts int) error {
	for range batches {
		var raw wire.Lines
		line := func(key int) {
			s.counter++
			s.db.versions[key-1] = s.counter
			raw.Buf = appendLine(raw.Buf, key, s.counter)
			raw.N++
		}
		old := len(s.db.versions)
		for _, at := range s.random.Perm(old)[:min(old, updates)] {
			line(at + 1)
		}
		for range inserts {
			s.db.versions = append(s.db.versions, 0)
			line(len(s.db.versions))
		}
		lines, err := wire.EncodeLines(nil, raw.Buf)
		if err != nil {
			return err
		}
		s.ready = append(s.ready, packed{lines, raw, raw.N, s.counter})
	}
	return nil
}

// sendNext sends the next of the batches that are ready.
func (s *stream) sendNext(ctx context.Context, h wire.Header) error {
	p := s.ready[0]
	s.ready = s.ready[1:]
	h.Protocol, h.Seq, h.ID = wire.Protocol, s.version.Seq+1, fmt.Sprintf("%016x%016x", s.random.Uint64(), s.random.Uint64())
	h.Writer = wire.Writer{ID: "writer", Name: "host", Run: s.run}
	h.Epoch, h.Schema, h.Columns, h.Rows, h.Watermark = epoch, fingerprint, columns, p.rows, &p.watermark
	a, err := s.client.Send(ctx, s.table, h, p.lines)
	if err != nil {
		return err
	}
	if len(a.Refused) > 0 || a.Inserted+a.Updated != p.rows {
		return fmt.Errorf("%d rows sent, %d inserted, %d updated, %d refused", p.rows, a.Inserted, a.Updated, len(a.Refused))
	}
	s.version = a.Version
	return nil
}

// since is how long something took, at least a nanosecond.
func since(t time.Time) time.Duration { return max(time.Since(t), 1) }
