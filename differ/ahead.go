package differ

import (
	"context"

	"tidemark/internal/wire"
)

// ahead is a Source that has the next chunk of keys read while the one before
// is compared. The source under it is still asked for one thing at a time:
// whoever looks rows up waits for the chunk under way.
type ahead struct {
	Source
	on bool // off: every chunk is read when it is asked for

	under  chan *keysChunk // the read under way; nil: none
	got    *keysChunk      // that ended while rows were looked up
	spare  *keysChunk      // to read into
	handed *keysChunk      // its lines are with the caller
	cancel context.CancelFunc
}

// keysChunk is what one call of Keys returned.
type keysChunk struct {
	after, next string
	done        bool
	err         error
	lines       wire.Lines
}

// chunk returns the chunk behind a cursor, valid until the next call, and
// begins to read the one behind it. stop ends that.
func (a *ahead) chunk(ctx context.Context, after string) (*keysChunk, error) {
	a.settle()
	c := a.got
	a.got = nil
	if c == nil || c.after != after {
		c = a.read(ctx, a.empty(c), after)
	}
	a.spare, a.handed = a.handed, c
	if c.err == nil && !c.done && a.on {
		a.begin(ctx, c.next)
	}
	return c, c.err
}

func (a *ahead) begin(ctx context.Context, after string) {
	ctx, a.cancel = context.WithCancel(ctx)
	into, under := a.empty(nil), make(chan *keysChunk, 1)
	a.under = under
	go func() { under <- a.read(ctx, into, after) }()
}

func (a *ahead) read(ctx context.Context, into *keysChunk, after string) *keysChunk {
	into.after = after
	into.next, into.done, into.err = a.Keys(ctx, after, &into.lines)
	return into
}

// empty returns a chunk to read into: the one given, or the spare one.
func (a *ahead) empty(c *keysChunk) *keysChunk {
	if c == nil {
		c, a.spare = a.spare, nil
	}
	if c == nil {
		c = &keysChunk{}
	}
	c.lines.Reset()
	return c
}

// settle waits for the read under way.
func (a *ahead) settle() {
	if a.under == nil {
		return
	}
	a.got, a.under = <-a.under, nil
	a.cancel()
}

// stop ends the read under way and forgets what was read ahead.
func (a *ahead) stop() {
	if a.under != nil {
		a.cancel()
		a.settle()
	}
	a.got, a.spare, a.handed = nil, nil, nil
}

// Lookup implements Source.
func (a *ahead) Lookup(ctx context.Context, keys [][]byte, out *wire.Lines) ([]Found, error) {
	a.settle()
	return a.Source.Lookup(ctx, keys, out)
}
