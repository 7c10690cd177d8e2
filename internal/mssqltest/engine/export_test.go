package engine

import "strings"

// Held counts what a table keeps: rows, versions of them and index entries.
func (db *Database) Held(name string) (rows, versions, entries int) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	t := db.tables[strings.ToLower(name)]
	t.indexes[0].tree.Scan(func(e entry) bool {
		rows++
		for v := &e.row.version; v != nil; v = v.prev {
			versions++
		}
		return true
	})
	for _, ix := range t.indexes[1:] {
		entries += ix.tree.Len()
	}
	return rows, versions, entries
}

// Waiting counts the sessions that wait for a lock.
func (db *Database) Waiting() int {
	db.locks.mu.Lock()
	defer db.locks.mu.Unlock()
	return len(db.locks.waiting)
}
