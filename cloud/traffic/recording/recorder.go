package recording

import (
	"errors"
	"hash/fnv"
	"io"
	"os"
	"sync"
	"time"

	"tidemark/internal/fault"
)

// Options bound a Recorder.
type Options struct {
	Share   int           // of the customers, 1 to 100 percent: all requests of those, none of others
	Bytes   int64         // of the file
	For     time.Duration // from the start on
	Waiting int64         // bytes of bodies that wait for the disk; 0: 64 MiB
	Server  string        // version of the program, for the Header
}

const (
	defaultWaiting = 64 << 20
	maxQueue       = 8192
	flushEvery     = time.Second
)

// Figures are what a Recorder did until now.
type Figures struct {
	Entries int64
	Bytes   int64 // of the file
	LeftOut int64 // requests of tables with a gap
	Ended   bool  // by a bound, or by an error
	Err     error // of the file
}

// A Recorder writes what it is told to a file, beside the requests: Record
// never waits. Close ends it.
type Recorder struct {
	o     Options
	file  *os.File
	count *countingWriter
	w     *Writer
	queue chan *Entry
	ended chan struct{}
	until time.Time

	mu      sync.Mutex
	closed  bool
	waiting int64
	gaps    map[lane]bool
	figures Figures
}

type lane struct{ customer, table string }

// countingWriter knows how long the file has become.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Create begins a recording in a new file at path, which must not be there: a
// recording is never continued. The file is its owner's alone.
func Create(path string, o Options, now time.Time) (*Recorder, error) {
	if o.Waiting == 0 {
		o.Waiting = defaultWaiting
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fault.New("begin the recording "+path, err, "Name a file that is not there yet, in a folder that is.")
	}
	r := &Recorder{o: o, file: f, count: &countingWriter{w: f}, queue: make(chan *Entry, maxQueue), ended: make(chan struct{}), until: now.Add(o.For), gaps: map[lane]bool{}}
	if r.w, err = NewWriter(r.count, Header{Started: now.UTC(), Server: o.Server, Share: o.Share}); err != nil {
		return nil, fault.New("begin the recording "+path, errors.Join(err, f.Close()), "")
	}
	go r.run()
	return r, nil
}

// Wants tells whether requests of a customer are recorded. The share is stable
// by a hash, so that all requests of a customer are there, or none.
func (r *Recorder) Wants(customer string) bool {
	if r.o.Share >= 100 {
		return true
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, customer)
	return int(h.Sum32()%100) < r.o.Share
}

// Record takes an entry, whose body must not change any more. Where there is no
// place for it, its table has a gap.
func (r *Recorder) Record(e *Entry) {
	if !r.Wants(e.Customer) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := lane{e.Customer, e.Table}
	switch {
	case r.closed || r.figures.Ended:
		return
	case r.gaps[l]:
		r.figures.LeftOut++
		return
	}
	if r.waiting+int64(len(e.Body)) <= r.o.Waiting {
		select {
		case r.queue <- e:
			r.waiting += int64(len(e.Body))
			return
		default:
		}
	}
	r.figures.LeftOut++
	if e.Table != "" { // what is asked about a customer changes nothing
		r.gaps[l] = true
	}
}

// run writes what is in the queue, until Close or a bound.
func (r *Recorder) run() {
	defer close(r.ended)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	ok := true
	for {
		select {
		case e, open := <-r.queue:
			if !open {
				return
			}
			if ok {
				ok = r.write(e)
			}
			r.mu.Lock()
			r.waiting -= int64(len(e.Body))
			r.mu.Unlock()
		case <-tick.C:
			if ok {
				ok = r.note(r.w.Flush())
			}
		}
	}
}

// write writes one entry; false when nothing more is to be written.
func (r *Recorder) write(e *Entry) bool {
	err := r.w.Write(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures.Entries++
	r.figures.Bytes = r.count.n
	if err != nil || r.count.n+int64(len(e.Body)) > r.o.Bytes || e.Start.After(r.until) {
		r.figures.Ended, r.figures.Err = true, err
		return false
	}
	return true
}

func (r *Recorder) note(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.figures.Bytes = r.count.n
	if err != nil || time.Now().After(r.until) || r.count.n > r.o.Bytes {
		r.figures.Ended, r.figures.Err = true, err
		return false
	}
	return true
}

// Figures tells how the recording stands.
func (r *Recorder) Figures() Figures {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.figures
}

// Close writes what waits, notes the gaps, and closes the file.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	close(r.queue)
	r.mu.Unlock()
	<-r.ended
	err := r.figures.Err
	for l := range r.gaps {
		err = errors.Join(err, r.w.Write(&Entry{Customer: l.customer, Table: l.table, Gap: true}))
	}
	return fault.New("end the recording "+r.file.Name(), errors.Join(err, r.w.Close(), r.file.Sync(), r.file.Close()), "")
}
