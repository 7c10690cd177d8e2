package uploader

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// newLimiter bounds what all bodies together send; nil when there is no limit.
func newLimiter(perSecond int64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	// A quarter of a second at once, but no more than a few packets.
	return rate.NewLimiter(rate.Limit(perSecond), int(min(max(perSecond/4, 512), 64<<10)))
}

// A payload is one sending of a body: at the limiter's pace, and noticed by
// stalled when no byte of it moves for long.
type payload struct {
	ctx     context.Context
	limiter *rate.Limiter
	stall   time.Duration
	stalled *time.Timer

	mu     sync.Mutex
	rest   []byte
	closed bool
}

// Read hands out the next bytes when the limiter allows it.
func (p *payload) Read(buf []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return 0, errors.New("read of a body that is closed")
	case len(p.rest) == 0:
		p.stalled.Stop() // what is left to wait for is the answer
		return 0, io.EOF
	}
	n := min(len(buf), len(p.rest))
	if p.limiter != nil {
		n = min(n, p.limiter.Burst())
		p.stalled.Stop()
		if err := p.limiter.WaitN(p.ctx, n); err != nil {
			return 0, err
		}
	}
	p.stalled.Reset(p.stall)
	copy(buf, p.rest[:n])
	p.rest = p.rest[n:]
	if len(p.rest) == 0 {
		p.stalled.Stop()
	}
	return n, nil
}

// Close ends the sending.
func (p *payload) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.stalled.Stop()
	return nil
}

// sent tells whether all bytes were handed out.
func (p *payload) sent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rest) == 0
}
