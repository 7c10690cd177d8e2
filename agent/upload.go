package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/sqlserver"
)

// errStopped ends an upload or a diff between two batches: paused, or the
// agent stops.
var errStopped = errors.New("stopped between two batches")

// An upload is a load or a delta under way.
type upload struct {
	*sender
	reader  *sqlserver.Reader
	from    uint64 // of a delta
	ceiling uint64
	start   bool // the next batch begins the load
	sent    bool // anything
	content bool
	marks   map[string]string
	queries time.Duration // that the source took
	yield   func(context.Context) error
}

// A part is one chunk, read and on its way to become a batch.
type part struct {
	lines *buffer
	chunk sqlserver.Chunk
	err   error
}

// segment is how long a table moves before it makes room for others that
// wait. It gives its buffers back first.
const segment = 20 * time.Second

// chunkReader reads the chunk behind a cursor.
type chunkReader func(context.Context, sqlserver.Cursor, *wire.Lines) (sqlserver.Chunk, error)

// run reads chunks, from at on, and sends each as a batch, while the next one
// is being read. No statement is open while the cloud is waited for.
func (u *upload) run(ctx context.Context, at sqlserver.Cursor, read chunkReader, send func(context.Context, part) error) error {
	for {
		done, err := u.segment(ctx, &at, read, send)
		if done || err != nil {
			return err
		}
		if err := u.yield(ctx); err != nil {
			return err
		}
	}
}

// segment runs until the table is done or has moved for long enough, and
// leaves in at where it goes on.
func (u *upload) segment(ctx context.Context, at *sqlserver.Cursor, read chunkReader, send func(context.Context, part) error) (done bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	parts := make(chan part)      // unbuffered: one ahead
	free := make(chan *buffer, 2) // all the buffers there are
	for range cap(free) {
		free <- u.t.a.lines.get()
	}
	var reader sync.WaitGroup
	from := *at
	reader.Go(func() {
		defer close(parts)
		u.readAll(ctx, from, read, free, parts)
	})
	defer func() {
		cancel()
		for p := range parts { // the reader may be about to hand one over
			u.t.a.lines.put(p.lines)
		}
		reader.Wait()
		for len(free) > 0 {
			u.t.a.lines.put(<-free)
		}
	}()
	for p := range parts {
		err := p.err
		if err == nil && u.t.stopping() {
			err = errStopped
		}
		if err == nil {
			err = send(ctx, p)
		}
		free <- p.lines
		if err != nil || p.chunk.Done {
			return true, err
		}
		*at = p.chunk.Next
	}
	return false, ctx.Err()
}

func (u *upload) readAll(ctx context.Context, at sqlserver.Cursor, read chunkReader, free <-chan *buffer, parts chan<- part) {
	began := time.Now()
	for first := true; first || time.Since(began) < segment; first = false {
		if !first && !pause(ctx, u.t.site.Pause) {
			return
		}
		p := part{}
		select {
		case p.lines = <-free:
		case <-ctx.Done():
			return
		}
		p.lines.reset()
		if p.chunk, p.err = read(ctx, at, &p.lines.Lines); p.err == nil {
			p.err = p.lines.pack()
		}
		select {
		case parts <- p:
		case <-ctx.Done():
			u.t.a.lines.put(p.lines)
			return
		}
		if p.err != nil || p.chunk.Done {
			return
		}
		at = p.chunk.Next
	}
}

// pause waits, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// took books a chunk that was read.
func (u *upload) took(p part) error {
	u.out.Rows += int64(p.chunk.Rows)
	u.queries += p.chunk.Elapsed
	u.t.progress(int64(p.chunk.Rows), 0)
	if err := u.t.oversize(p.chunk.Oversize, u.out); err != nil {
		return err
	}
	if u.content {
		return nil
	}
	s, err := newest(u.t.sentinels(), p.lines.Lines, u.keys)
	if err != nil {
		return fmt.Errorf("read a row line: %w", err)
	}
	u.t.setSentinels(s)
	return nil
}

// mark adds the marks to a batch's header.
func (u *upload) mark(h *wire.Header) {
	m := marks{Marks: u.marks, Columns: columnIDs(u.t.table())}
	if !u.content {
		m.Sentinels = u.t.sentinels()
	}
	text := m.String()
	h.Marks = &text
}

// upload does what an upload's decision says, and leaves the version that the
// cloud answered with in the cycle. It returns how long the source was kept
// busy.
func (c *cycle) upload(ctx context.Context, d scheduler.Decision) (time.Duration, error) {
	u := &upload{
		sender:  c.sender(),
		reader:  c.t.reader(),
		ceiling: c.probe.Ceiling,
		content: c.in.Content,
		marks:   c.probe.marks(),
		yield:   c.slot.Yield,
	}
	c.t.begin(string(d.Upload), c.in.Local.Rows)
	var err error
	if d.Upload == scheduler.Delta {
		err = u.delta(ctx, c.in.Local.High)
	} else {
		err = u.load(ctx, d.Upload == scheduler.Resume)
	}
	c.version = u.version
	return u.queries, err
}
