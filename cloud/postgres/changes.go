package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"tidemark/cloud"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// changes are what a batch does to the rows of a table whose summary is kept.
// The methods of a nil one do nothing.
type changes struct {
	*sums.Changes
	keys *keyed // of the lines fed last
}

// keyed remembers of the lines of a feed what a summary needs of them, because
// only the database can tell what becomes of each.
type keyed struct {
	types []wire.Type
	buf   []byte
	lines []keyedLine // by line
	key   [][]byte
}

type keyedLine struct {
	from, to int
	version  uint64
	epoch    int64
}

// add remembers a line. KeyAt is nil where the values are the key.
func (k *keyed) add(row cloud.Row, keyAt []int, epoch int64) (err error) {
	if k == nil {
		return nil
	}
	values := row.Values
	if keyAt != nil {
		k.key = k.key[:0]
		for _, at := range keyAt {
			k.key = append(k.key, row.Values[at])
		}
		values = k.key
	}
	for len(k.lines) <= row.Index {
		k.lines = append(k.lines, keyedLine{})
	}
	from := len(k.buf)
	k.buf, err = canon.Key(k.buf, k.types, values)
	k.lines[row.Index] = keyedLine{from, len(k.buf), row.Version, epoch}
	return err
}

// beginChanges returns what an application has to collect into.
func (s *Store) beginChanges(ctx context.Context, a *application) (*changes, error) {
	if s.options.WithoutSummaries || !a.before.mark.Keeps(a.before.State, a.b.Header) {
		return nil, nil
	}
	l, err := s.layouts.layout(ctx, a.c, layoutKey{a.b.Customer, a.b.Table, a.before.mark.Number, a.before.secret})
	if err != nil {
		return nil, err
	}
	c, err := sums.NewChanges(l, a.b.Schema.KeyTypes(), a.before.secret, a.next.EpochNumber)
	return &changes{Changes: c}, err
}

// endChanges moves the mark of the table and returns the statement that writes
// the log's entry, if there is one.
func (a *application) endChanges() []statement {
	var entry []byte
	if a.sum != nil {
		entry = a.sum.Entry()
		a.next.mark = a.before.mark.Next(a.before.State, a.next.State, a.b.Header, entry)
	} else {
		a.next.mark = sums.Mark{}
	}
	if entry == nil {
		return nil
	}
	return []statement{{
		sql:  "INSERT INTO tidemark.log (customer, name, seq, entry) VALUES ($1, $2, $3, $4)",
		args: []any{a.b.Customer, a.b.Table, int64(a.next.Version.Seq), entry},
	}}
}

// begin returns what a feed of the batch has to remember.
func (c *changes) begin(p *plan) *keyed {
	if c == nil {
		return nil
	}
	c.keys = &keyed{}
	for _, k := range p.key {
		c.keys.types = append(c.keys.types, k.typ)
	}
	return c.keys
}

// line returns a remembered line.
func (c *changes) line(n int32) (key []byte, l keyedLine, err error) {
	if n < 0 || int(n) >= len(c.keys.lines) || c.keys.lines[n].to == 0 {
		return nil, l, fmt.Errorf("line %d was not fed", n)
	}
	l = c.keys.lines[n]
	return c.keys.buf[l.from:l.to], l, nil
}

func (c *changes) merged(m merged) error {
	if c == nil {
		return nil
	}
	if err := c.inserted(m.inserted); err != nil {
		return err
	}
	for i, n := range m.updated {
		key, l, err := c.line(n)
		if err == nil {
			err = c.Update(key, l.version, uint64(m.versions[i]), int64(m.epochs[i]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *changes) inserted(lines []int32) error {
	for _, n := range lines {
		key, l, err := c.line(n)
		if err == nil {
			err = c.Insert(key, l.version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertedAll is inserted for every line that was fed.
func (c *changes) insertedAll() error {
	if c == nil {
		return nil
	}
	for _, l := range c.keys.lines {
		if l.to > 0 {
			if err := c.Insert(c.keys.buf[l.from:l.to], l.version); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleted takes out lines that were there with the stamps they came with.
func (c *changes) deleted(lines []int32) error {
	for _, n := range lines {
		key, l, err := c.line(n)
		if err == nil {
			err = c.Delete(key, l.version, l.epoch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// layouts remembers layouts, which never change.
type layouts struct {
	mu    sync.Mutex
	known map[layoutKey]summary.Layout
}

type layoutKey struct {
	customer, table string
	number          uint64
	secret          summary.Secret // of another customer of the same ID
}

const maxLayouts = 1 << 14

// layout returns a layout, read through c where it is not remembered. That
// sees what was committed before the version was locked.
func (r *layouts) layout(ctx context.Context, c *session, k layoutKey) (l summary.Layout, err error) {
	r.mu.Lock()
	l, ok := r.known[k]
	r.mu.Unlock()
	if ok {
		return l, nil
	}
	var document []byte
	err = c.QueryRow(ctx, "SELECT layout FROM tidemark.summaries WHERE customer = $1 AND name = $2 AND number = $3",
		k.customer, k.table, int64(k.number)).Scan(&document)
	if err == nil {
		err = json.Unmarshal(document, &l)
	}
	if err != nil {
		return l, fmt.Errorf("layout %d of %s: %w", k.number, k.table, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxLayouts {
		r.known = make(map[layoutKey]summary.Layout)
	}
	r.known[k] = l
	return l, nil
}
