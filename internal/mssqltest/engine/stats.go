package engine

// Stats counts the work of one table since the last ResetStats.
type Stats struct {
	Examined int64 // rows looked at
	Returned int64 // rows that satisfied the conditions on the table
	Seeks    int64 // reads of a part of an index
	Scans    int64 // reads of a whole table or index
}

// Stats gives the counts of all tables by their full names.
func (db *Database) Stats() map[string]Stats {
	db.mu.RLock()
	defer db.mu.RUnlock()
	out := map[string]Stats{}
	for _, t := range db.tables {
		c := &t.counters
		out[t.fullName()] = Stats{c.examined.Load(), c.returned.Load(), c.seeks.Load(), c.scans.Load()}
	}
	return out
}

// ResetStats sets all counts to 0.
func (db *Database) ResetStats() {
	db.mu.RLock()
	defer db.mu.RUnlock()
	for _, t := range db.tables {
		c := &t.counters
		c.examined.Store(0)
		c.returned.Store(0)
		c.seeks.Store(0)
		c.scans.Store(0)
	}
}
