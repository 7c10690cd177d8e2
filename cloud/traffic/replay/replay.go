package replay

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tidemark/cloud/traffic/recording"
)

// A Config says what is replayed, and where.
type Config struct {
	// Open opens the recording, which is read twice.
	Open   func() (*recording.Reader, io.Closer, error)
	To     *url.URL
	Client *http.Client
	Keys   map[string]string // of customers, in the target
	Speed  float64           // of the recording's time; 0: as fast as it goes
	AtOnce int               // requests on their way at the same time; 0: 32
	Wait   int64             // bytes of bodies that are held; 0: 64 MiB
}

const (
	defaultAtOnce = 32
	defaultWait   = 64 << 20
)

// Run replays a recording. What could not be replayed is in the Result; the
// error is for what stopped it, or kept it from beginning.
func Run(ctx context.Context, c Config) (*Result, error) {
	if c.AtOnce == 0 {
		c.AtOnce = defaultAtOnce
	}
	if c.Wait == 0 {
		c.Wait = defaultWait
	}
	s, err := withRecording(c, look)
	if err != nil {
		return nil, err
	}
	t := &target{base: c.To, client: c.Client, keys: c.Keys}
	late, err := t.check(ctx, s)
	if err != nil {
		return nil, err
	}
	before, err := t.blocks(ctx)
	if err != nil {
		return nil, err
	}
	result := newResult(s, late)
	begun := time.Now()
	_, err = withRecording(c, func(r *recording.Reader) (struct{}, error) {
		return struct{}{}, play(ctx, c, t, s, r, result)
	})
	result.Took = time.Since(begun)
	result.Retries = t.retries.Load()
	if err != nil {
		return result, err
	}
	after, err := t.blocks(ctx)
	result.blocks(before, after)
	return result, err
}

func withRecording[T any](c Config, f func(*recording.Reader) (T, error)) (out T, err error) {
	r, file, err := c.Open()
	if err != nil {
		return out, err
	}
	defer func() {
		r.Close()
		err = errors.Join(err, file.Close())
	}()
	return f(r)
}

// play reads the recording and gives each entry to its lane when it is due.
func play(ctx context.Context, c Config, t *target, s *survey, r *recording.Reader, result *Result) error {
	p := player{t: t, result: result, turns: make(chan struct{}, c.AtOnce), held: held{most: c.Wait}, lanes: map[lane][]*recording.Entry{}}
	p.held.freed = sync.NewCond(&p.held.mu)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.fail = cancel
	defer p.running.Wait()
	stop := context.AfterFunc(ctx, p.held.end)
	defer stop()
	begun := time.Now()
	var broken *recording.BrokenError
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) || errors.As(err, &broken) {
			break
		}
		if err != nil {
			cancel(err)
			return err
		}
		if e.Gap {
			continue
		}
		if why := result.left(e); why {
			continue
		}
		if c.Speed > 0 {
			if err := until(ctx, begun.Add(time.Duration(float64(e.Start.Sub(s.first))/c.Speed))); err != nil {
				return err
			}
		}
		if !p.held.take(int64(len(e.Body)) + 4096) {
			return context.Cause(ctx)
		}
		p.give(ctx, e)
	}
	p.running.Wait()
	return context.Cause(ctx)
}

func until(ctx context.Context, at time.Time) error {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A player runs the lanes that have something to send, each in a goroutine of
// its own.
type player struct {
	t       *target
	result  *Result
	turns   chan struct{}
	held    held
	fail    context.CancelCauseFunc
	running sync.WaitGroup

	mu    sync.Mutex
	lanes map[lane][]*recording.Entry // there while the lane runs
}

func (p *player) give(ctx context.Context, e *recording.Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := lane{e.Customer, e.Table}
	waiting, runs := p.lanes[l]
	p.lanes[l] = append(waiting, e)
	if !runs {
		p.running.Go(func() { p.run(ctx, l) })
	}
}

// next returns the lane's next entry; nil ends the lane.
func (p *player) next(l lane) *recording.Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.lanes[l]
	if len(waiting) == 0 {
		delete(p.lanes, l)
		return nil
	}
	p.lanes[l] = waiting[1:]
	return waiting[0]
}

func (p *player) run(ctx context.Context, l lane) {
	for e := p.next(l); e != nil; e = p.next(l) {
		select {
		case p.turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		o, err := p.t.send(ctx, e)
		<-p.turns
		p.held.give(int64(len(e.Body)) + 4096)
		if err != nil {
			p.fail(err)
			return
		}
		p.result.add(e, o)
	}
}

// held bounds the bytes of entries that wait.
type held struct {
	most  int64
	mu    sync.Mutex
	freed *sync.Cond
	now   int64
	ended bool
}

// take waits for room; an entry that is larger than all room goes alone.
func (h *held) take(n int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.now > 0 && h.now+n > h.most && !h.ended {
		h.freed.Wait()
	}
	h.now += n
	return !h.ended
}

func (h *held) give(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now -= n
	h.freed.Broadcast()
}

func (h *held) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.freed.Broadcast()
}
