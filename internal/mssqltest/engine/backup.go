package engine

import (
	"slices"
	"strings"
)

// A Backup is the committed content of a database at one moment.
type Backup struct {
	schemas    []*schema
	types      []*aliasType
	tables     []tableBackup
	rowVersion uint64
}

type tableBackup struct {
	def  *table // definition only
	rows [][]byte
	ids  []uint64
}

// Backup copies what is committed. Rows are shared, as they never change.
func (db *Database) Backup() *Backup {
	db.mu.RLock()
	defer db.mu.RUnlock()
	b := &Backup{schemas: slices.Clone(db.schemas), types: slices.Clone(db.types), rowVersion: db.rowVersion}
	for _, t := range db.tables {
		rows, ids := liveRows(t.indexes[0])
		b.tables = append(b.tables, tableBackup{t.definition(), rows, ids})
	}
	return b
}

// definition copies a table without its rows, locks and counters.
func (t *table) definition() *table {
	d := &table{db: t.db, id: t.id, schema: t.schema, name: t.name, cols: slices.Clone(t.cols), nextCol: t.nextCol, seed: t.seed,
		inc: t.inc, lastIdent: t.lastIdent, identUsed: t.identUsed, nextID: t.nextID, created: t.created}
	d.layoutChanged()
	for _, ix := range t.indexes {
		c := *ix
		c.tree = nil
		d.indexes = append(d.indexes, &c)
	}
	return d
}

// Failover ends all sessions of the database, as when another server takes it
// over: with the name given, and all that was committed.
func (db *Database) Failover(server string) {
	db.killSessions()
	db.mu.Lock()
	for tx := range db.open {
		db.rollback(tx)
	}
	db.mu.Unlock()
	e := db.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	e.name = server
}

// Restore puts a backup in place of the database's content: rows, definitions
// and the row version counter. All sessions of the database are killed. The
// recovery fork gets a new GUID, unless hidden, as when a copy of the files
// is swapped in.
func (db *Database) Restore(b *Backup, hidden bool) error {
	db.killSessions()
	db.mu.Lock()
	defer db.mu.Unlock()
	for tx := range db.open {
		db.rollback(tx)
	}
	for _, t := range db.tables {
		t.dropped = true
	}
	db.commitSeq++
	db.stale = nil
	db.schemas, db.types = slices.Clone(b.schemas), slices.Clone(b.types)
	db.rowVersion = b.rowVersion
	db.tables = map[string]*table{}
	for _, tb := range b.tables {
		t := tb.def.definition()
		t.changed = db.commitSeq
		if err := t.rebuild(tb.rows, tb.ids); err != nil {
			return err
		}
		t.live = int64(len(tb.rows))
		db.tables[strings.ToLower(t.fullName())] = t
	}
	if !hidden {
		db.fork = newGUID()
	}
	return nil
}
