package engine

import (
	"time"

	"tidemark/internal/mssqltest/tds"
)

// A txn is a transaction, explicit or of one statement.
type txn struct {
	id       uint64
	sess     *Session
	explicit bool
	level    tds.Isolation
	began    time.Time
	done     chan struct{} // closed when it has ended

	// Guarded by the latch of the database.
	snap    uint64 // its snapshot, 0 before the first read under SNAPSHOT
	firstRV uint64 // first row version that it was given, 0 for none
	writes  []write
	ended   bool
	equalRV uint64 // with EqualRowVersions: the one of the running transaction

	tables map[*table]*use // guarded by the lock manager
}

// A write is one version that a transaction pushed on a row.
type write struct {
	t     *table
	r     *row
	count int64 // what it added to the table's row count
}

// commit makes all writes visible at once. The latch is held.
func (db *Database) commit(tx *txn) {
	if tx.ended {
		return
	}
	if len(tx.writes) > 0 {
		db.commitSeq++
		for i := range tx.writes {
			r := tx.writes[i].r
			if r.tx == tx {
				r.seq, r.tx = db.commitSeq, nil
				dropOwn(tx, tx.writes[i].t, r)
			}
		}
	}
	writes := tx.writes
	db.end(tx)
	for _, w := range writes {
		db.prune(w.t, w.r)
	}
	db.pruneStale()
}

// dropOwn takes away the states between what a transaction found and what it
// left, which nobody else has seen.
func dropOwn(tx *txn, t *table, r *row) {
	var gone []*version
	for r.prev != nil && r.prev.tx == tx {
		gone = append(gone, r.prev)
		r.prev = r.prev.prev
	}
	for _, v := range gone {
		t.unindex(r, v.data)
	}
}

// rollbackTo undoes the writes after the first n. What a snapshot was in the
// way of when these writes stood on it is pruned now: nobody else comes back
// for it. The latch is held.
func (db *Database) rollbackTo(tx *txn, n int) {
	for i := len(tx.writes) - 1; i >= n; i-- {
		w := tx.writes[i]
		data := w.r.data
		if w.r.pop() {
			w.t.unindex(w.r, data)
			db.prune(w.t, w.r)
		} else {
			w.t.remove(w.r)
		}
		w.t.live -= w.count
	}
	tx.writes = tx.writes[:n]
}

func (db *Database) rollback(tx *txn) {
	if tx.ended {
		return
	}
	db.rollbackTo(tx, 0)
	db.end(tx)
	db.pruneStale()
}

func (db *Database) end(tx *txn) {
	tx.ended = true
	tx.writes = nil
	delete(db.open, tx)
	close(tx.done)
}

// oldest is the lowest snapshot that anyone may still read with.
func (db *Database) oldest() uint64 {
	low := db.commitSeq
	for tx := range db.open {
		if tx.snap != 0 && tx.snap < low {
			low = tx.snap
		}
	}
	for s := range db.snapshots {
		low = min(low, s.seq)
	}
	return low
}

// A statementSnapshot keeps versions alive while a statement of
// READ_COMMITTED_SNAPSHOT runs.
type statementSnapshot struct{ seq uint64 }

// prune cuts the versions of r that nobody can see any more.
func (db *Database) prune(t *table, r *row) {
	if r.tx != nil || r.prev == nil && !r.deleted {
		return
	}
	low := db.oldest()
	v := &r.version
	for v != nil && (v.tx != nil || v.seq > low) {
		v = v.prev
	}
	if v == nil {
		db.stale = append(db.stale, staleRow{t, r})
		return
	}
	cut := v.prev
	v.prev = nil
	for ; cut != nil; cut = cut.prev {
		t.unindex(r, cut.data)
	}
	switch {
	case v == &r.version && r.deleted:
		t.remove(r)
	case v != &r.version:
		db.stale = append(db.stale, staleRow{t, r})
	}
}

type staleRow struct {
	t *table
	r *row
}

// pruneStale tries again what a snapshot was in the way of.
func (db *Database) pruneStale() {
	if len(db.stale) == 0 || db.oldest() == db.staleLow {
		return
	}
	db.staleLow = db.oldest()
	todo := db.stale
	db.stale = nil
	for _, s := range todo {
		db.prune(s.t, s.r)
	}
}

// nextRowVersion takes a value of the database's counter for tx.
func (db *Database) nextRowVersion(tx *txn) uint64 {
	if db.opts.EqualRowVersions != DistinctRowVersions && tx.equalRV != 0 {
		return tx.equalRV
	}
	db.rowVersion++
	if tx.firstRV == 0 {
		tx.firstRV = db.rowVersion
	}
	tx.equalRV = db.rowVersion
	return db.rowVersion
}

// minActive is MIN_ACTIVE_ROWVERSION(): the lowest row version given to a
// transaction still open, or the next one.
func (db *Database) minActive() uint64 {
	low := db.rowVersion + 1
	for tx := range db.open {
		if tx.firstRV != 0 {
			low = min(low, tx.firstRV)
		}
	}
	return low
}
