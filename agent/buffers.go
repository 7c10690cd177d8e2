package agent

import (
	"sync"

	"tidemark/internal/wire"
)

// buffers keeps chunk buffers for the next table. There are never more of
// them than two for each table that runs.
type buffers struct {
	pool sync.Pool
	keep int // a buffer that one wide row made larger than this goes
}

func (b *buffers) get() *wire.Lines {
	if l, ok := b.pool.Get().(*wire.Lines); ok {
		l.Reset()
		return l
	}
	return &wire.Lines{}
}

func (b *buffers) put(l *wire.Lines) {
	if l != nil && cap(l.Buf) <= b.keep {
		b.pool.Put(l)
	}
}
