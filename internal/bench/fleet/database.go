package main

import "math/rand/v2"

// A database is a customer's, as far as agents can tell: row versions by key.
// What else is in a row follows from those two.
type database struct {
	counter uint64 // @@DBTS
	tables  []*table
}

type table struct {
	versions []uint64 // of key - 1; 0: no such row
	rows     int64
	high     uint64 // highest row version that there was
}

// newDatabase is filled as the first so many kinds begin.
func newDatabase(tables int) *database {
	d := &database{}
	for range tables {
		d.add()
	}
	return d
}

// add adds the next kind of table, filled.
func (d *database) add() {
	k := kinds[len(d.tables)]
	t := &table{}
	d.tables = append(d.tables, t)
	for range k.rows {
		d.insert(t)
	}
}

func (d *database) insert(t *table) {
	d.counter++
	t.versions = append(t.versions, d.counter)
	t.high = d.counter
	t.rows++
}

// apply makes a change.
func (d *database) apply(c change) {
	if c.table >= len(d.tables) { // it is not there yet
		return
	}
	t := d.tables[c.table]
	r := rand.New(rand.NewPCG(c.seed, 0))
	for range c.updates {
		if at := t.some(r); at >= 0 {
			d.counter++
			t.versions[at], t.high = d.counter, d.counter
		}
	}
	for range c.inserts {
		d.insert(t)
	}
	for range c.deletes {
		if at := t.some(r); at >= 0 {
			d.counter++ // something else was written with it
			t.versions[at] = 0
			t.rows--
		}
	}
}

// some is the place of a row, -1 where there is none. Half of the time it is
// one of the newest, which are changed more often than others.
func (t *table) some(r *rand.Rand) int {
	n := len(t.versions)
	if t.rows == 0 {
		return -1
	}
	at := r.IntN(n)
	if r.IntN(2) == 0 {
		at = n - 1 - r.IntN(min(n, 50))
	}
	for t.versions[at] == 0 {
		at = (at + 1) % n
	}
	return at
}
