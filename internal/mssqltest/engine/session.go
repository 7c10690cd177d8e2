package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// A Session is one connection. It implements tds.Session.
type Session struct {
	engine    *Engine
	db        *Database
	login     *Login
	id        int // @@SPID
	host, app string
	loginTime time.Time

	set       settings
	vars      map[string]*variable
	rowCount  int64
	identity  value
	tranCount int

	killed atomic.Bool
	work   atomic.Int64 // versions written by the open transaction

	mu        sync.Mutex // guards what other sessions look at
	tx        *txn       // the open explicit transaction
	cancel    context.CancelCauseFunc
	lastStart time.Time
	running   bool

	shownLevel int // set.level as it was when the last batch began
}

// settings are what SET changes. Those changed by a batch with parameters
// (sp_executesql) return to what they were at its end.
type settings struct {
	noCount          bool
	lockTimeout      time.Duration // negative waits for ever
	deadlockPriority int           // -10 to 10
	xactAbort        bool
	level            tds.Isolation
	textSize         int32
	identityInsert   *table
}

func (s *Session) resetSettings() {
	s.set = settings{lockTimeout: -1, level: tds.ReadCommitted, textSize: 2147483647}
	s.identity = nullValue
	s.rowCount = 0
}

func (s *Session) level() tds.Isolation { return s.set.level }

// Batch runs a batch of statements.
func (s *Session) Batch(ctx context.Context, sql string, params []tds.Param, w tds.Writer) error {
	if s.killed.Load() {
		return errKilled()
	}
	if st := s.db.State(); st != "ONLINE" {
		return severity(14, errorf(927, "Database '%s' cannot be opened. It is in the middle of a restore.", s.db.name))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.cancel, s.running, s.lastStart = cancel, true, s.engine.now()
	s.shownLevel = int(s.set.level)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.cancel, s.running = nil, false
		s.mu.Unlock()
	}()
	stmts, err := s.engine.parsed.parse(sql)
	if err != nil {
		return s.failed(fromParser(err))
	}
	s.vars = map[string]*variable{}
	for _, p := range params {
		v, err := decode(p.Type, p.Value)
		if err != nil {
			return severity(16, errorf(8023, "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. Parameter (\"%s\"): %v.", p.Name, err))
		}
		s.vars[strings.ToLower(p.Name)] = &variable{declared(p.Type), v}
	}
	before, saved := s.tranCount, s.set
	err = s.failed(s.statements(ctx, stmts, w))
	if params != nil {
		s.set = saved
		if err == nil && s.tranCount != before {
			err = errorf(266, "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = %d, current count = %d.", before, s.tranCount)
		}
	}
	if errors.Is(err, errReturn) {
		err = nil
	}
	return err
}

// declared leaves of a type what a declaration says; clients send lengths of
// types that have none.
func declared(t tds.Type) tds.Type {
	switch t.Kind {
	case tds.Char, tds.VarChar, tds.NChar, tds.NVarChar, tds.Binary, tds.VarBinary, tds.UDT:
		return tds.Type{Kind: t.Kind, Len: t.Len, Name: t.Name}
	case tds.Decimal:
		return tds.Type{Kind: t.Kind, Prec: t.Prec, Scale: t.Scale}
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		return tds.Type{Kind: t.Kind, Scale: t.Scale}
	case tds.RowVersion:
		return tds.Type{Kind: t.Kind, Len: 8}
	}
	return tds.Type{Kind: t.Kind}
}

// failed rolls back what an error takes down with it.
func (s *Session) failed(err error) error {
	if err == nil || errors.Is(err, errReturn) {
		return err
	}
	if s.killed.Load() {
		s.finish(s.openTxn(), false)
		return errKilled()
	}
	var e *tds.Error
	ok := errors.As(err, &e)
	if s.set.xactAbort || ok && (e.Number == numDeadlock || e.Number == numUpdateConflict || e.Number == 3961) {
		s.finish(s.openTxn(), false)
	}
	return err
}

func (s *Session) openTxn() *txn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tx
}

// newTxn opens a transaction and enters it into the database's list.
func (s *Session) newTxn(explicit bool) *txn {
	tx := &txn{id: s.engine.lastID.Add(1), sess: s, explicit: explicit, level: s.set.level, began: s.engine.now(),
		done: make(chan struct{}), tables: map[*table]*use{}}
	s.db.mu.Lock()
	s.db.open[tx] = struct{}{}
	s.db.mu.Unlock()
	if explicit {
		s.mu.Lock()
		s.tx = tx
		s.mu.Unlock()
	}
	return tx
}

// finish ends a transaction, if there is one.
func (s *Session) finish(tx *txn, commit bool) {
	if tx == nil {
		return
	}
	s.db.mu.Lock()
	if commit {
		s.db.commit(tx)
	} else {
		s.db.rollback(tx)
	}
	s.db.mu.Unlock()
	s.db.locks.releaseTxn(tx)
	s.work.Store(0)
	s.mu.Lock()
	if s.tx == tx {
		s.tx = nil
		s.tranCount = 0
	}
	s.mu.Unlock()
}

// Begin is the transaction manager's request; a second one nests.
func (s *Session) Begin(_ context.Context, level tds.Isolation) (uint64, error) {
	if s.killed.Load() {
		return 0, errKilled()
	}
	if err := s.setLevel(level); err != nil {
		return 0, err
	}
	s.beginTran()
	return s.Transaction(), nil
}

func (s *Session) setLevel(level tds.Isolation) error {
	switch level {
	case tds.Unspecified:
	case tds.ReadCommitted, tds.Snapshot:
		s.set.level = level
	default:
		return notKnown("any isolation level but READ COMMITTED and SNAPSHOT")
	}
	return nil
}

func (s *Session) beginTran() {
	if s.openTxn() == nil {
		s.newTxn(true)
	}
	s.tranCount++
}

// Commit ends the innermost transaction; the outermost one really commits.
func (s *Session) Commit(context.Context) error {
	if s.killed.Load() {
		return errKilled()
	}
	if s.tranCount == 0 {
		return errorf(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
	}
	if s.tranCount--; s.tranCount == 0 {
		s.finish(s.openTxn(), true)
	}
	return nil
}

// Rollback undoes the outermost transaction.
func (s *Session) Rollback(context.Context) error {
	if s.killed.Load() {
		return errKilled()
	}
	if s.tranCount == 0 {
		return errorf(3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
	}
	s.finish(s.openTxn(), false)
	return nil
}

// Transaction is the id of the open transaction, 0 for none.
func (s *Session) Transaction() uint64 {
	if tx := s.openTxn(); tx != nil {
		return tx.id
	}
	return 0
}

// Reset rolls back and forgets all settings, as sp_reset_connection does.
func (s *Session) Reset(context.Context) error {
	if s.killed.Load() {
		return errKilled()
	}
	s.finish(s.openTxn(), false)
	s.resetSettings()
	return nil
}

// Close rolls back and ends the session.
func (s *Session) Close() {
	s.finish(s.openTxn(), false)
	s.engine.forget(s)
}

// Kill ends the session as KILL does: its transaction is rolled back at once
// and whatever it does next fails.
func (s *Session) Kill() {
	s.killed.Store(true)
	s.mu.Lock()
	cancel, tx := s.cancel, s.tx
	s.mu.Unlock()
	if cancel != nil {
		cancel(errKilled())
	}
	if tx != nil {
		s.db.mu.Lock()
		s.db.rollback(tx)
		s.db.mu.Unlock()
		s.db.locks.releaseTxn(tx)
	}
}

// Kill ends a session by its number; false where there is none.
func (e *Engine) Kill(id int) bool {
	for _, s := range e.allSessions() {
		if s.id == id {
			s.Kill()
			return true
		}
	}
	return false
}
