package mssqltest

import (
	"slices"
	"sync"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// Kinds of requests in the log.
const (
	Batch    = "batch"
	Begin    = "begin"
	Commit   = "commit"
	Rollback = "rollback"
)

// A Statement is one request that a client made: a batch, which may hold
// several statements of T-SQL, or a request for a transaction.
type Statement struct {
	Kind     string
	Login    tds.Login // without password
	SQL      string
	Params   []tds.Param
	At       time.Time
	Duration time.Duration
	Rows     int64 // sent
	Err      error
}

type statementLog struct {
	mu    sync.Mutex
	keep  int
	now   func() time.Time
	list  []Statement
	total int
}

func newStatementLog(keep int, now func() time.Time) *statementLog {
	if now == nil {
		now = time.Now
	}
	return &statementLog{keep: keep, now: now}
}

func (l *statementLog) add(s Statement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.list) >= l.keep {
		l.list = slices.Delete(l.list, 0, len(l.list)-l.keep+1)
	}
	l.list = append(l.list, s)
}

// Statements gives the log since the last TakeStatements, oldest first.
func (s *Server) Statements() []Statement {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.list)
}

// TakeStatements gives the log and empties it.
func (s *Server) TakeStatements() []Statement {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	out := s.log.list
	s.log.list = nil
	return out
}

// StatementCount is the number of requests since the start, also of those
// that the log has dropped.
func (s *Server) StatementCount() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.total
}
