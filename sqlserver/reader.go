package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"tidemark/internal/wire"
)

// A Reader reads one table in chunks. It sizes them by what the chunks before
// took, so one Reader is kept for a table as long as its definition stays.
// It is for one goroutine at a time.
type Reader struct {
	source *Source
	table  *Table
	limits Limits
	rows   *plan
	keys   *plan
	texts  map[string]string // statements that were used, by name

	load, delta, manifest, windows, lookups pace
	// committed: the table refuses SNAPSHOT, as memory-optimized ones do.
	committed bool
}

// A Chunk is what one call read.
type Chunk struct {
	Rows int // lines appended
	Next Cursor
	Done bool // nothing is left behind Next
	// Watermark is set by Delta: every row of the delta at or below it has
	// been delivered by this chunk or those before it.
	Watermark uint64
	Oversize  []Oversize
	Elapsed   time.Duration
}

// Reader returns a reader of a table that is not Refused. Where limits leaves
// something open, the source's own is taken.
func (s *Source) Reader(t *Table, limits Limits) *Reader {
	r := &Reader{source: s, table: t, limits: limits.or(s.limits), texts: map[string]string{}}
	if t.Refused == "" {
		r.rows, r.keys = rowPlan(t), keyPlan(t)
	}
	for _, p := range []*pace{&r.load, &r.delta, &r.manifest, &r.windows, &r.lookups} {
		*p = pace{target: r.limits.QueryTime, bytes: r.limits.ChunkBytes, most: r.limits.ChunkRows}
	}
	// A window's rows mostly stay at the server.
	r.windows.most = max(windowRows, r.limits.ChunkRows)
	return r
}

// windowRows is how far one window looks ahead at most.
const windowRows = 1_000_000

// Table is what the reader reads.
func (r *Reader) Table() *Table { return r.table }

// Load reads rows in key order whatever their version.
func (r *Reader) Load(ctx context.Context, after Cursor, out *wire.Lines) (Chunk, error) {
	return r.inKeyOrder(ctx, "load", after, out, &r.load, r.rows, false)
}

// Keys reads manifest lines, ["rv",key...], in key order. Where the version
// is a hash of the content, whole rows are read for it.
func (r *Reader) Keys(ctx context.Context, after Cursor, out *wire.Lines) (Chunk, error) {
	return r.inKeyOrder(ctx, "keys", after, out, &r.manifest, r.keys, true)
}

func (r *Reader) inKeyOrder(ctx context.Context, name string, after Cursor, out *wire.Lines, pc *pace, p *plan, keysOnly bool) (Chunk, error) {
	op := "read " + name + " of " + r.table.String()
	if err := r.refused(); err != nil {
		return Chunk{}, named(op, err)
	}
	at, err := r.table.parse(after, byKey)
	if err != nil {
		return Chunk{}, named(op, err)
	}
	terms := r.table.keyTerms
	text := ""
	if at.key == nil {
		text = r.text(name+" first", func() string { return p.firstPage(terms(), "") })
	} else {
		text = r.text(name+" next", func() string { return p.nextPage(terms(), "") })
	}
	n := pc.next()
	c := newCollector(p, out, r.limits)
	c.keysOnly = keysOnly
	took, err := r.run(ctx, text, r.args(p, n, at), pc, c)
	if err != nil {
		return Chunk{}, named(op, err)
	}
	chunk := c.chunk(took)
	chunk.Done = !c.cut && c.rows < n
	chunk.Next = after
	if c.rows > 0 {
		chunk.Next = cursor(byKey, 0, c.key())
	}
	return chunk, nil
}

// refused is the error for a table that cannot be read.
func (r *Reader) refused() error {
	if r.table.Refused != "" {
		return errors.New("the table cannot be synced: " + r.table.Refused)
	}
	return nil
}

// text keeps statements, which are the same text every time.
func (r *Reader) text(name string, make func() string) string {
	t, ok := r.texts[name]
	if !ok {
		t = make()
		r.texts[name] = t
	}
	return t
}

// args are the parameters that most statements take: @n, the row limit where
// values can be large, and the key of the position.
func (r *Reader) args(p *plan, n int, at position) []driver.NamedValue {
	args := []driver.NamedValue{param("n", int64(n))}
	if len(p.large) > 0 {
		args = append(args, param("limit", r.limits.RowBytes))
	}
	for i, k := range at.key {
		args = append(args, param(keyParam(i), k))
	}
	return args
}

// run reads one batch into c, minds the pace and undoes what an error left.
func (r *Reader) run(ctx context.Context, text string, args []driver.NamedValue, pc *pace, c *collector) (time.Duration, error) {
	bytes := len(c.out.Buf)
	start := time.Now()
	err := r.query(ctx, text, args, c.read)
	if err == nil && c.cut && len(c.plan.witness) > 0 { // the batch's own was cut off with the rest
		err = r.query(ctx, c.plan.witnessSQL(), nil, func(rs *rows) error { return check(rs, c.plan.witnessShapes()) })
	}
	took := time.Since(start)
	if err != nil {
		c.undo()
		if errors.Is(err, context.DeadlineExceeded) {
			pc.failed()
		}
		return took, err
	}
	seen := c.rows
	if c.window {
		seen = c.number
	}
	pc.observe(seen, len(c.out.Buf)-bytes, took)
	return took, nil
}

// query runs a statement under the isolation that source and table allow. A
// refusal of SNAPSHOT is learnt from: 3952, the database does not allow it
// any more; 41332, a memory-optimized table does not. Other servers give other
// numbers: what has no known meaning is tried once without.
func (r *Reader) query(ctx context.Context, text string, args []driver.NamedValue, read func(*rows) error) error {
	if _, err := r.source.know(ctx); err != nil {
		return err
	}
	st := statement{text: text, args: args, limits: r.limits, level: r.source.level()}
	if r.committed {
		st.level = isolationCommitted
	}
	seen := 0
	err := r.source.run(ctx, st, func(rs *rows) error {
		defer func() { seen = rs.read }()
		return read(rs)
	})
	number, told := serverError(err)
	if _, known := serverErrors[number]; !told || st.level != isolationSnapshot || known && number != 3952 || seen > 0 {
		return err
	}
	st.level = isolationCommitted
	again := r.source.run(ctx, st, read)
	switch {
	case number == 3952:
		r.source.setIsolation(false)
	case again == nil:
		r.committed = true
	case number != 41332:
		return err
	}
	return again
}

// chunk is what the collector has, before the reader's method knows more.
func (c *collector) chunk(took time.Duration) Chunk {
	return Chunk{Rows: c.out.N - c.startN, Oversize: c.oversize, Elapsed: took}
}
