package engine

import "tidemark/internal/mssqltest/tds"

// found is a row as a scan saw it.
type found struct {
	data []byte
	key  string
	row  *row
	seq  uint64
}

const (
	firstBatch = 16
	lastBatch  = 1024
)

// scan reads a table along a path. Rows are taken in batches under the latch
// and handed on without it, so that a slow client holds nothing up. Under
// READ COMMITTED it waits at a row that another transaction has in hand.
func (x *exec) scan(src *source, p *path, f *frame, emit func(found) error) error {
	t := src.table
	if err := x.use(t); err != nil {
		return err
	}
	ranges, err := p.ranges(t, f)
	if err != nil {
		return err
	}
	if p.ands == nil {
		t.counters.scans.Add(1)
	} else {
		t.counters.seeks.Add(1)
	}
	s := scanner{x: x, src: src, p: p, view: x.viewOf(src), size: firstBatch, lay: newRowView(t.lay)}
	if p.unique {
		s.size = 1
	}
	for i := range ranges {
		r := ranges[i]
		if p.backward {
			r = ranges[len(ranges)-1-i]
		}
		if err := s.read(r, emit); err != nil {
			return err
		}
	}
	return nil
}

type scanner struct {
	x     *exec
	src   *source
	p     *path
	view  view
	size  int
	batch []found
	lay   rowView
	key   []byte
}

func (s *scanner) read(r keyRange, emit func(found) error) error {
	t := s.src.table
	at := r.lo
	if s.p.backward {
		at = r.hi
	}
	for {
		if err := s.x.check(); err != nil {
			return err
		}
		busy, busyKey, more, err := s.fill(t, r, at)
		if err != nil {
			return err
		}
		for _, f := range s.batch {
			t.counters.examined.Add(1)
			if err := emit(f); err != nil {
				return err
			}
			at = f.key
		}
		if busy != nil {
			// The row may be gone when its transaction has ended: look at
			// its place again.
			if err := s.x.waitFor(busy); err != nil {
				return err
			}
			at = busyKey
			if s.p.backward {
				at += "\x00"
			}
			continue
		}
		if !more {
			return nil
		}
		if !s.p.backward {
			at += "\x00"
		}
		s.size = min(2*s.size, lastBatch)
	}
}

// fill takes the next rows from at on: at is the first key to read, or going
// backward the first not to read.
func (s *scanner) fill(t *table, r keyRange, at string) (busy *txn, busyKey string, more bool, err error) {
	s.batch = s.batch[:0]
	db := t.db
	db.mu.RLock()
	defer db.mu.RUnlock()
	step := func(e entry) bool {
		if s.p.backward {
			if at != "" && e.key >= at {
				return true
			}
			if e.key < r.lo {
				return false
			}
		} else if r.hi != "" && e.key >= r.hi {
			return false
		}
		if len(s.batch) >= s.size {
			more = true
			return false
		}
		data, ok, tx := s.view.see(e.row)
		if tx != nil {
			if s.src.skip {
				return true
			}
			busy, busyKey = tx, e.key
			return false
		}
		if ok && e.row.prev != nil && s.p.ix != t.indexes[0] {
			// The entry may be that of another version.
			s.lay.set(data)
			if s.key, err = t.appendIndexKey(s.key[:0], s.p.ix, e.row.id, &s.lay); err != nil {
				return false
			}
			ok = string(s.key) == e.key
		}
		if ok {
			s.batch = append(s.batch, found{data, e.key, e.row, e.row.seq})
		}
		return true
	}
	switch {
	case !s.p.backward:
		s.p.ix.tree.Ascend(entry{key: at}, step)
	case at == "":
		s.p.ix.tree.Reverse(step)
	default:
		s.p.ix.tree.Descend(entry{key: at}, step)
	}
	return busy, busyKey, more, err
}

// viewOf is what a statement sees of a source.
func (x *exec) viewOf(src *source) view {
	v := view{self: x.s.tx}
	if x.tx != nil {
		v.self = x.tx
	}
	switch {
	case x.s.level() == tds.Snapshot && x.s.tx != nil:
		v.snapshot, v.seq = true, x.s.tx.snap
	case x.snap != nil && !src.locking:
		v.snapshot, v.seq = true, x.snap.seq
	}
	return v
}
