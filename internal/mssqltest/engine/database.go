package engine

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// DatabaseOptions are options of ALTER DATABASE, and ways in which compatible
// servers differ.
type DatabaseOptions struct {
	AllowSnapshot         bool // ALLOW_SNAPSHOT_ISOLATION
	ReadCommittedSnapshot bool // READ_COMMITTED_SNAPSHOT
	EqualRowVersions      EqualRowVersions
	NoRowCounts           bool // sys.partitions has no figures

	// Lacks names what SQL Server has and this server has not, and refuses:
	// views ("sys.partitions"), their columns ("sys.databases.create_date") or
	// rows ("rows of sys.index_columns"), functions ("HAS_PERMS_BY_NAME"),
	// variables ("@@DBTS"), options ("SET LOCK_TIMEOUT", "SET TRANSACTION
	// ISOLATION LEVEL SNAPSHOT"), query hints ("OPTION", "OPTION LOOP JOIN")
	// and collations in expressions ("COLLATE Latin1_General_CI_AS").
	Lacks []string
}

// EqualRowVersions tells which rows share one row version, as those of a
// SELECT INTO or bulk load do, and on some compatible servers all of one
// statement or transaction.
type EqualRowVersions uint8

// The scopes of equal row versions.
const (
	DistinctRowVersions EqualRowVersions = iota
	PerStatement
	PerTransaction
)

// A Database is one database of an engine.
type Database struct {
	engine *Engine
	name   string
	id     int
	locks  *lockManager

	lack atomic.Pointer[lackSet] // opts.Lacks

	// mu is the latch: it guards everything below and all tables and rows. It
	// is held for short stretches, never while waiting for a lock or client.
	mu         sync.RWMutex
	opts       DatabaseOptions
	state      string
	created    time.Time
	guid       string // database_guid
	fork       string // recovery_fork_guid
	schemas    []*schema
	types      []*aliasType
	tables     map[string]*table // by lower case schema.name
	lastObject int
	rowVersion uint64 // last value used
	commitSeq  uint64
	open       map[*txn]struct{}
	snapshots  map[*statementSnapshot]struct{}
	stale      []staleRow
	staleLow   uint64
}

func newDatabase(e *Engine, name string, o DatabaseOptions) *Database {
	db := &Database{engine: e, name: name, opts: o, state: "ONLINE", created: e.now(),
		locks: &lockManager{waiting: map[*Session]*waiter{}}, guid: newGUID(), fork: newGUID(),
		tables: map[string]*table{}, lastObject: 885578192, rowVersion: 2000, commitSeq: 1,
		open: map[*txn]struct{}{}, snapshots: map[*statementSnapshot]struct{}{}}
	db.lack.Store(newLackSet(o.Lacks))
	db.schemas = []*schema{{1, "dbo"}, {2, "guest"}, {3, "INFORMATION_SCHEMA"}, {4, "sys"}}
	return db
}

// Name is the name of the database.
func (db *Database) Name() string { return db.name }

// State is as in sys.databases: ONLINE, RESTORING and so on.
func (db *Database) State() string {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.state
}

// SetState changes the state. Where it is not ONLINE, sessions are killed and
// logins refused.
func (db *Database) SetState(state string) {
	db.mu.Lock()
	db.state = strings.ToUpper(state)
	db.mu.Unlock()
	if db.state != "ONLINE" {
		db.killSessions()
	}
}

// SetOptions replaces the options.
func (db *Database) SetOptions(o DatabaseOptions) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.opts = o
	db.lack.Store(newLackSet(o.Lacks))
}

func (db *Database) killSessions() {
	for _, s := range db.engine.allSessions() {
		if s.db == db {
			s.Kill()
		}
	}
}

// findTable gives nil for a table that does not exist.
func (db *Database) findTable(n tsql.Name) (*table, error) {
	if n.Database != "" && !strings.EqualFold(n.Database, db.name) {
		return nil, notKnown("queries across databases (%s)", nameText(n))
	}
	schema := n.Schema
	if schema == "" {
		schema = "dbo"
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.tables[strings.ToLower(schema+"."+n.Object)], nil
}

func (db *Database) findSchema(name string) *schema {
	if name == "" {
		name = "dbo"
	}
	for _, s := range db.allSchemas() {
		if strings.EqualFold(s.name, name) {
			return s
		}
	}
	return nil
}

func (db *Database) allSchemas() []*schema {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.Clone(db.schemas)
}

// visible are the tables that a login sees, by object_id. The latch is held.
func (db *Database) visible(l *Login) []*table {
	var out []*table
	for _, t := range db.tables {
		if l.sees(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *table) int { return a.id - b.id })
	return out
}

func (db *Database) sees(l *Login, t *table) bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return l.sees(t)
}

// tableNames gives a name of the table with an object_id, NULL for none.
func (db *Database) tableNames(l *Login, id int64, name func(*table) string) value {
	db.mu.RLock()
	defer db.mu.RUnlock()
	for _, t := range db.visible(l) {
		if int64(t.id) == id {
			return strValue(name(t))
		}
	}
	return nullValue
}

// resolveType finds a system or alias type.
func (db *Database) resolveType(n tsql.TypeName, defLen int) (tds.Type, error) {
	t, _, _, err := db.resolveAnyType(n, defLen)
	return t, err
}

func (db *Database) resolveAnyType(n tsql.TypeName, defLen int) (tds.Type, *typeInfo, *aliasType, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	for _, a := range db.types {
		if strings.EqualFold(a.name, n.Name) && (n.Schema == "" && a.schema.name == "dbo" || strings.EqualFold(n.Schema, a.schema.name)) {
			return a.typ, a.info, a, nil
		}
	}
	t, info, err := resolveSystemType(n, defLen)
	return t, info, nil, err
}

// object takes an object_id. The latch is held.
func (db *Database) object() int {
	db.lastObject += 16000057 // as far apart as SQL Server's are
	if db.lastObject > 2147000000 {
		db.lastObject -= 2146900000
	}
	return db.lastObject
}

// RowVersion is @@DBTS.
func (db *Database) RowVersion() uint64 {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.rowVersion
}

// AdvanceRowVersion moves the counter ahead by n, as writes to tables that
// nobody looks at would.
func (db *Database) AdvanceRowVersion(n uint64) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.rowVersion += n
}
