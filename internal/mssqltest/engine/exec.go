package engine

import (
	"context"
	"errors"
	"time"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// errStop ends a scan that has given enough rows.
var errStop = errors.New("engine: enough rows")

// An exec is one running statement.
type exec struct {
	ctx  context.Context
	s    *Session
	db   *Database
	w    tds.Writer
	tx   *txn // of a writing statement
	snap *statementSnapshot
	uses map[*table]*use
	now  time.Time

	catalog map[string][][]byte // rows of catalog views already asked for
}

func (s *Session) begin(ctx context.Context, w tds.Writer) *exec {
	return &exec{ctx: ctx, s: s, db: s.db, w: w, uses: map[*table]*use{}, now: s.engine.now()}
}

// end gives up what the statement holds.
func (x *exec) end() {
	for t, u := range x.uses {
		x.db.locks.release(t, u)
	}
	if x.snap != nil {
		x.db.mu.Lock()
		delete(x.db.snapshots, x.snap)
		x.db.pruneStale()
		x.db.mu.Unlock()
	}
}

func (x *exec) check() error {
	if x.s.killed.Load() {
		return errKilled()
	}
	return context.Cause(x.ctx)
}

// use registers the statement as a user of a table, and takes the snapshot
// that its isolation level asks for at the first one.
func (x *exec) use(t *table) error {
	if _, ok := x.uses[t]; ok {
		return nil
	}
	u, err := x.db.locks.hold(x.ctx, x.s, t)
	if err != nil {
		return err
	}
	x.uses[t] = u
	db := x.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if t.dropped {
		return errInvalidObject(t.fullName())
	}
	switch x.s.level() {
	case tds.Snapshot:
		if !db.opts.AllowSnapshot {
			return errorf(3952, "Snapshot isolation transaction failed accessing database '%s' because snapshot isolation is not allowed in this database. Use ALTER DATABASE to allow snapshot isolation.", db.name)
		}
		tx := x.s.tx
		if tx == nil { // a statement on its own reads as of its start
			x.takeSnapshot()
			return nil
		}
		if tx.level != tds.Snapshot {
			return errorf(3951, "Transaction failed in database '%s' because the statement was run under snapshot isolation but the transaction did not start in snapshot isolation. You cannot change the isolation level of the transaction to snapshot after the transaction has started unless the transaction was originally started under snapshot isolation level.", db.name)
		}
		if tx.snap == 0 {
			tx.snap = db.commitSeq
		}
		if t.changed > tx.snap {
			return errorf(3961, "Snapshot isolation transaction failed in database '%s' because the object accessed by the statement has been modified by a DDL statement in another concurrent transaction since the start of this transaction.  It is disallowed because the metadata is not versioned.", db.name)
		}
	default:
		if db.opts.ReadCommittedSnapshot && x.tx == nil {
			x.takeSnapshot()
		}
	}
	return nil
}

func (x *exec) takeSnapshot() {
	if x.snap == nil {
		x.snap = &statementSnapshot{x.db.commitSeq}
		x.db.snapshots[x.snap] = struct{}{}
	}
}

// waitFor waits for the end of the transaction that has a row in hand.
func (x *exec) waitFor(tx *txn) error {
	return x.db.locks.wait(x.ctx, x.s, []*Session{tx.sess}, tx.done)
}

// table finds a user table by name and checks a right on it.
func (x *exec) table(n tsql.Name, permission string) *table {
	t, err := x.db.findTable(n)
	if err != nil {
		fail(err)
	}
	if t == nil {
		fail(errInvalidObject(nameText(n)))
	}
	// From here on the definition stays as it is until the statement ends.
	if err := x.use(t); err != nil {
		fail(err)
	}
	if !x.s.login.may(permission, t) {
		fail(errDenied(permission, t.name, x.db.name, t.schema.name))
	}
	return t
}

func nameText(n tsql.Name) string {
	s := n.Object
	if n.Schema != "" {
		s = n.Schema + "." + s
	}
	if n.Database != "" {
		s = n.Database + "." + s
	}
	return s
}
