package ship

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"tidemark/cloud/traffic/logfile"
	"tidemark/internal/fault"
)

// A Position is a place between two lines of a log.
type Position struct {
	Line   int64 `json:"line"`   // lines before it
	Offset int64 `json:"offset"` // bytes before it, decompressed
}

// Stats count what became of lines.
type Stats struct {
	Lines     int64 `json:"lines"` // read, empty ones too
	Delivered int64 `json:"delivered"`
	Malformed int64 `json:"malformed"` // set aside: not a load balancer's line
	Refused   int64 `json:"refused"`   // set aside: the endpoint does not take it
}

// Add adds o to s.
func (s *Stats) Add(o Stats) {
	s.Lines += o.Lines
	s.Delivered += o.Delivered
	s.Malformed += o.Malformed
	s.Refused += o.Refused
}

// A Shipper delivers logs, one after the other. It holds at most Workers + 1
// blocks, and the batches of Workers.
type Shipper struct {
	To      *Endpoint
	Rejects Rejects
	Workers int // batches on their way at the same time
	Block   int // bytes of a log that make a batch, if its lines are not longer
}

// Defaults of a Shipper.
const (
	DefaultWorkers = 4
	DefaultBlock   = 512 << 10
)

// Log delivers one log from a position on. passed is called, one call at a
// time, with positions before which all is delivered or set aside. A log that
// is cut off is delivered up to there; what is left of its last line is set
// aside, and the error is a *logfile.BrokenError.
func (s *Shipper) Log(ctx context.Context, name string, r *logfile.Reader, from Position, passed func(Position)) (Stats, error) {
	if from.Line > 0 {
		if err := r.Skip(from.Line, from.Offset); errors.Is(err, io.EOF) {
			return Stats{}, nil
		} else if err != nil {
			return Stats{}, err
		}
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return Stats{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		work     = make(chan job)
		buffers  = make(chan []byte, s.Workers+1)
		progress = progress{window: make(chan struct{}, s.Workers*ahead), early: map[int]Position{}, passed: passed}
		total    Stats
		mu       sync.Mutex // of total
		running  sync.WaitGroup
	)
	for range s.Workers + 1 {
		buffers <- make([]byte, s.Block)
	}
	for range s.Workers {
		running.Go(func() {
			b := batch{to: s.To, rejects: s.Rejects, file: name, quoted: string(quoted)}
			for j := range work {
				if err := b.send(ctx, &j.block); err != nil {
					cancel(err)
					break
				}
				progress.done(j.number, Position{Line: j.block.Line - 1 + j.block.Lines(), Offset: j.block.End()})
				buffers <- j.buffer
			}
			mu.Lock()
			defer mu.Unlock()
			total.Add(b.stats)
		})
	}
	err = read(ctx, r, buffers, progress.window, work)
	close(work)
	running.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return total, cause
	}
	var broken *logfile.BrokenError
	if errors.As(err, &broken) {
		total.Malformed++
		e := s.Rejects.Put(Reject{File: name, Line: broken.Line, Bytes: int64(broken.Part), Reason: broken.Error()})
		return total, errors.Join(err, fault.New("set aside the end of "+name, e, ""))
	}
	return total, err
}

// A job is one block on its way.
type job struct {
	number int
	block  logfile.Block
	buffer []byte
}

// read hands the blocks of a log to the workers.
func read(ctx context.Context, r *logfile.Reader, buffers <-chan []byte, window chan<- struct{}, work chan<- job) error {
	for number := 0; ; number++ {
		select {
		case window <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var buffer []byte
		select {
		case buffer = <-buffers:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		block, buffer, err := r.Next(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case work <- job{number, block, buffer}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ahead is how many batches a worker may be ahead of one that is tried again
// and again: what a killed program sends twice.
const ahead = 16

// progress finds the position before which all is done, although blocks are
// done in any order.
type progress struct {
	window chan struct{} // a place for each block read and not yet passed
	passed func(Position)

	mu    sync.Mutex
	next  int
	early map[int]Position // done before one that was read before
}

func (p *progress) done(number int, end Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.early[number] = end
	moved := false
	for at, ok := p.early[p.next]; ok; at, ok = p.early[p.next] {
		delete(p.early, p.next)
		p.next++
		<-p.window
		end, moved = at, true
	}
	if moved && p.passed != nil {
		p.passed(end)
	}
}
