package mssqltest

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// A Fault makes batches go wrong.
type Fault struct {
	Match *regexp.Regexp // what batches, by their text; nil for all
	Times int            // how many of them; 0 for all
	Delay time.Duration  // before the batch runs
	Err   *tds.Error     // instead of running it, or after Rows rows
	Rows  int            // how many rows to send before Err
	// Hook runs before the batch, for faults that need an exact moment.
	Hook func()
}

// Errors as the server gives them, for a Fault.
var (
	LockTimeout = &tds.Error{Number: 1222, State: 51, Class: 16, Message: "Lock request time out period exceeded."}
	Deadlock    = &tds.Error{Number: 1205, State: 51, Class: 13, Message: "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction."}
	Restoring   = &tds.Error{Number: 927, State: 2, Class: 14, Message: "Database 'site' cannot be opened. It is in the middle of a restore."}
	Severe      = &tds.Error{Number: 9001, State: 1, Class: 21, Message: "The log for database 'site' is not available."}
)

type faultList struct {
	mu   sync.Mutex
	list []*Fault
}

// Inject adds a fault; the function returned takes it away.
func (s *Server) Inject(f Fault) (remove func()) {
	own := &f
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, own)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.drop(own)
	}
}

func (l *faultList) drop(f *Fault) {
	l.list = slices.DeleteFunc(l.list, func(o *Fault) bool { return o == f })
}

// take finds the first fault for a batch and counts it.
func (l *faultList) take(sql string) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.list {
		if f.Match != nil && !f.Match.MatchString(sql) {
			continue
		}
		if f.Times == 1 {
			l.drop(f)
		} else if f.Times > 1 {
			f.Times--
		}
		return f
	}
	return nil
}

// before carries out what comes before the batch. Its error is the batch's.
func (f *Fault) before(ctx context.Context) error {
	if f == nil {
		return nil
	}
	if f.Hook != nil {
		f.Hook()
	}
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if f.Err != nil && f.Rows == 0 {
		return f.Err
	}
	return nil
}
