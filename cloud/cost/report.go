package cost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// By says what a report tells apart.
type By string

// What a report can tell apart.
const (
	ByDataset  By = "dataset"
	ByCustomer By = "customer"
	ByEndpoint By = "endpoint"
)

// Background is the line of what the database did for nobody's request: upkeep,
// vacuum, people. It is there when datasets are told apart by endpoint, and in
// Entry.Read and Entry.Hit of datasets.
const Background = "(background)"

// An Entry is a line of a report.
type Entry struct {
	Name string `json:"name"` // "" for what has no dataset: versions, policies
	Sums        // of requests
	// AllRead and AllHit are what the database itself counted for the tables of
	// a dataset: for requests and for all else. Log is the estimated part of
	// the write-ahead log, in bytes.
	AllRead int64 `json:"all_blocks_read"`
	AllHit  int64 `json:"all_blocks_hit"`
	Log     int64 `json:"log_bytes_estimated"`
}

func (e *Entry) add(o Entry) {
	e.Sums.Add(o.Sums)
	e.AllRead += o.AllRead
	e.AllHit += o.AllHit
	e.Log += o.Log
}

// A Bucket is a part of a report's time.
type Bucket struct {
	At      time.Time     `json:"at"`
	Span    time.Duration `json:"span_ns"`
	Entries []Entry       `json:"entries"` // by name
}

// A Report tells what was spent in a time.
type Report struct {
	By      By        `json:"by"`
	Since   time.Time `json:"since"` // of the first bucket
	Until   time.Time `json:"until"`
	Counted bool      `json:"database_counts"` // the database tells blocks and log
	Entries []Entry   `json:"entries"`         // of the whole time: those that read most blocks first, then those that took most time
	Total   Entry     `json:"total"`
	Buckets []Bucket  `json:"buckets,omitempty"` // by time; minutes up to two hours back, else hours
}

// A Query asks for a report.
type Query struct {
	By           By
	Since, Until time.Time
	Dataset      string // only this one; "": all
	Customer     string // only this one; "": all. What is known is a lower bound: see Window
	Now          time.Time
}

// Check says what is wrong with a query.
func (q Query) Check() error {
	switch q.By {
	case ByDataset, ByCustomer, ByEndpoint:
	default:
		return fmt.Errorf("costs are told by dataset, customer or endpoint, not by %q", q.By)
	}
	if q.By == ByEndpoint && q.Customer != "" {
		return errors.New("what a customer cost is told by dataset, not by endpoint")
	}
	return nil
}

// finest is how long a report is told by the minute: each instance has a record
// of every minute.
const finest = 2 * time.Hour

// atOnce is of how long records are in memory at a time: an hour of an instance
// has up to 130 KB.
const atOnce = 24 * time.Hour

// Read makes a report of a store's records.
func Read(ctx context.Context, s Records, q Query) (*Report, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	span := Hour
	if q.Now.Sub(q.Since) <= finest {
		span = Minute
	}
	d := &draft{q: q, span: span, since: q.Since.UTC().Truncate(span), until: q.Until.UTC(), buckets: make(map[time.Time]*bucket)}
	// The counters at the end of the last bucket begin the next one.
	end := d.until.Add(span)
	for from := d.since; from.Before(end); from = from.Add(atOnce) {
		to := from.Add(atOnce)
		if to.After(end) {
			to = end
		}
		records, err := s.Costs(ctx, span, from, to, false)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			d.add(r)
		}
	}
	if span == Hour { // the hour that runs ends, for now, at the last minute's counters
		last, err := s.Costs(ctx, Minute, q.Now.Add(-Hour), d.until, true)
		if err != nil {
			return nil, err
		}
		for _, r := range slices.Backward(last) {
			if r.Counters != nil {
				d.add(r)
				break
			}
		}
	}
	return d.report(), nil
}

// A draft becomes a report: records are added to it in the order of their
// beginning.
type draft struct {
	q            Query
	span         time.Duration
	since, until time.Time
	buckets      map[time.Time]*bucket

	before *Counters // the last ones
	begun  time.Time // and of when
}

func (d *draft) at(t time.Time) *bucket {
	b := d.buckets[t]
	if b == nil {
		b = &bucket{lines: make(map[told]Sums), entries: make(map[string]Entry)}
		d.buckets[t] = b
	}
	return b
}

func (d *draft) add(r Record) {
	if r.Counters != nil {
		if d.before != nil && d.begun.Before(d.until) {
			d.at(d.begun).counted = r.Counters.Since(d.before)
		}
		d.before, d.begun = r.Counters, r.At
	}
	if r.Window != nil && r.At.Before(d.until) {
		d.at(r.At).add(d.q, r.Window)
	}
}

func (d *draft) report() *Report {
	// With one look at the counters there is nothing yet to compare with.
	r := &Report{By: d.q.By, Since: d.since, Until: d.until, Counted: d.before != nil}
	total := make(map[string]Entry)
	for t, b := range d.buckets {
		b.fill(d.q)
		out := Bucket{At: t, Span: d.span}
		for name, e := range b.entries {
			e.Name = name
			out.Entries = append(out.Entries, e)
			sum := total[name]
			sum.Name = name
			sum.add(e)
			total[name] = sum
			r.Total.add(e)
		}
		slices.SortFunc(out.Entries, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
		r.Buckets = append(r.Buckets, out)
	}
	slices.SortFunc(r.Buckets, func(a, b Bucket) int { return a.At.Compare(b.At) })
	for _, e := range total {
		r.Entries = append(r.Entries, e)
	}
	slices.SortFunc(r.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(max(b.AllRead, b.Read), max(a.AllRead, a.Read)), cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name))
	})
	return r
}

// A bucket is one on its way into a report.
type bucket struct {
	lines   map[told]Sums
	counted *Counters // the difference; nil: not known
	entries map[string]Entry
}

// told is what a report tells apart, and the dataset, by which the log is split.
type told struct{ name, dataset string }

// add adds what a query asks of a window.
func (b *bucket) add(q Query, w *Window) {
	lines, name := w.Endpoints, func(l Line) string { return l.Dataset }
	switch {
	case q.By == ByCustomer:
		lines, name = w.Customers, func(l Line) string { return l.Name }
	case q.By == ByEndpoint:
		name = func(l Line) string { return l.Name }
	case q.Customer != "":
		lines = w.Customers
	}
	for _, l := range lines {
		if q.Dataset != "" && l.Dataset != q.Dataset || q.Customer != "" && l.Name != q.Customer {
			continue
		}
		at := told{name(l), l.Dataset}
		s := b.lines[at]
		s.Add(l.Sums)
		b.lines[at] = s
	}
}

func (b *bucket) fill(q Query) {
	perRow := b.logPerRow()
	for at, s := range b.lines {
		e := b.entries[at.name]
		e.Sums.Add(s)
		if q.By != ByDataset || q.Customer != "" {
			e.Log += int64(float64(s.Changed) * perRow[at.dataset])
		}
		b.entries[at.name] = e
	}
	if b.counted == nil || q.Customer != "" {
		return
	}
	switch q.By {
	case ByDataset:
		for dataset, d := range b.counted.Datasets {
			if q.Dataset == "" || dataset == q.Dataset {
				e := b.entries[dataset]
				e.AllRead, e.AllHit, e.Log = d.Read, d.Hit, b.counted.LogOf(dataset)
				b.entries[dataset] = e
			}
		}
	case ByEndpoint:
		b.background(q)
	}
}

// logPerRow is the log of a changed row, by dataset.
func (b *bucket) logPerRow() map[string]float64 {
	per := make(map[string]float64)
	if b.counted != nil {
		for name, d := range b.counted.Datasets {
			if d.Changed > 0 {
				per[name] = float64(b.counted.LogOf(name)) / float64(d.Changed)
			}
		}
	}
	return per
}

// background is what the database counted beyond what requests were charged.
func (b *bucket) background(q Query) {
	var all Entry
	for dataset, d := range b.counted.Datasets {
		if q.Dataset == "" || dataset == q.Dataset {
			all.Read += d.Read
			all.Hit += d.Hit
			all.Log += b.counted.LogOf(dataset)
		}
	}
	for _, e := range b.entries {
		all.Read -= e.Read
		all.Hit -= e.Hit
		all.Log -= e.Log
	}
	rest := Entry{Log: max(all.Log, 0)}
	rest.Read, rest.Hit = max(all.Read, 0), max(all.Hit, 0)
	if rest != (Entry{}) {
		b.entries[Background] = rest
	}
}
