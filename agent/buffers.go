package agent

import (
	"sync"

	"tidemark/internal/wire"
)

// A buffer holds one chunk: its lines, and the same compressed, which is done
// while the batch before is on its way.
type buffer struct {
	wire.Lines
	packed []byte
}

func (b *buffer) reset() {
	b.Reset()
	b.packed = b.packed[:0]
}

// pack compresses the lines.
func (b *buffer) pack() (err error) {
	b.packed, err = wire.EncodeLines(b.packed[:0], b.Buf)
	return err
}

// buffers keeps buffers for the next table. There are never more of them than
// two for each table that runs.
type buffers struct {
	pool sync.Pool
	keep int // a buffer that one wide row made larger than this goes
}

func (b *buffers) get() *buffer {
	if l, ok := b.pool.Get().(*buffer); ok {
		l.reset()
		return l
	}
	return &buffer{}
}

func (b *buffers) put(l *buffer) {
	if l != nil && cap(l.Buf) <= b.keep {
		b.pool.Put(l)
	}
}
