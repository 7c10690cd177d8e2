package engine

import (
	"context"
	"sync"
	"time"
)

// Rows are locked by their uncommitted newest version: who needs the row
// waits for the end of its transaction. Tables are held by running statements
// (Sch-S) and by transactions that wrote to them (IX); a change of definition
// (Sch-M) waits for all others and holds back those that come later.

// A use is one holder of a table.
type use struct {
	sess *Session
	done chan struct{}
}

// tableLocks is guarded by the lock manager.
type tableLocks struct {
	users map[*use]struct{}
	ddl   *use // waiting for or holding Sch-M
}

// A lockManager knows who waits for whom.
type lockManager struct {
	mu      sync.Mutex
	waiting map[*Session]*waiter
}

type waiter struct {
	sess   *Session
	on     []*Session
	victim chan struct{}
}

// wait blocks s until done closes. on are the sessions that can close it.
func (m *lockManager) wait(ctx context.Context, s *Session, on []*Session, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	timeout := s.set.lockTimeout
	if timeout == 0 {
		return errLockTimeout()
	}
	w := &waiter{sess: s, on: on, victim: make(chan struct{})}
	m.mu.Lock()
	m.waiting[s] = w
	cycle := m.cycle(w)
	if cycle != nil {
		v := pickVictim(s, cycle)
		close(v.victim)
		delete(m.waiting, v.sess)
	}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		if m.waiting[s] == w {
			delete(m.waiting, s)
		}
		m.mu.Unlock()
	}()
	var expired <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-w.victim:
		return errDeadlock(s.id)
	default:
	}
	select {
	case <-done:
		return nil
	case <-w.victim:
		return errDeadlock(s.id)
	case <-expired:
		return errLockTimeout()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cycle finds the waiters on a way from w back to w.
func (m *lockManager) cycle(w *waiter) []*waiter {
	seen := map[*Session]bool{}
	var walk func(cur *waiter, path []*waiter) []*waiter
	walk = func(cur *waiter, path []*waiter) []*waiter {
		path = append(path, cur)
		for _, s := range cur.on {
			if s == w.sess {
				return path
			}
			if next := m.waiting[s]; next != nil && !seen[s] {
				seen[s] = true
				if found := walk(next, path); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(w, nil)
}

// pickVictim takes the lowest deadlock priority, then the least work to undo,
// then the session that came last.
func pickVictim(last *Session, cycle []*waiter) *waiter {
	best := cycle[0]
	for _, w := range cycle[1:] {
		a, b := w.sess, best.sess
		switch {
		case a.set.deadlockPriority != b.set.deadlockPriority:
			if a.set.deadlockPriority < b.set.deadlockPriority {
				best = w
			}
		case a.work.Load() != b.work.Load():
			if a.work.Load() < b.work.Load() {
				best = w
			}
		case a == last:
			best = w
		}
	}
	return best
}

// hold registers a statement or, through tx, a transaction as user of a table.
func (m *lockManager) hold(ctx context.Context, s *Session, t *table) (*use, error) {
	for {
		m.mu.Lock()
		ddl := t.locks.ddl
		if ddl == nil || ddl.sess == s {
			u := &use{s, make(chan struct{})}
			if t.locks.users == nil {
				t.locks.users = map[*use]struct{}{}
			}
			t.locks.users[u] = struct{}{}
			m.mu.Unlock()
			return u, nil
		}
		m.mu.Unlock()
		if err := m.wait(ctx, s, []*Session{ddl.sess}, ddl.done); err != nil {
			return nil, err
		}
	}
}

func (m *lockManager) release(t *table, u *use) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := t.locks.users[u]; ok {
		delete(t.locks.users, u)
		close(u.done)
	}
}

// holdInTxn keeps a table for a transaction until it ends.
func (m *lockManager) holdInTxn(ctx context.Context, tx *txn, t *table) error {
	m.mu.Lock()
	_, has := tx.tables[t]
	m.mu.Unlock()
	if has {
		return nil
	}
	u, err := m.hold(ctx, tx.sess, t)
	if err != nil {
		return err
	}
	m.mu.Lock()
	tx.tables[t] = u
	m.mu.Unlock()
	return nil
}

func (m *lockManager) releaseTxn(tx *txn) {
	m.mu.Lock()
	tables := tx.tables
	tx.tables = map[*table]*use{}
	m.mu.Unlock()
	for t, u := range tables {
		m.release(t, u)
	}
}

// exclusive waits until nobody else uses t and keeps others away until the
// returned function is called.
func (m *lockManager) exclusive(ctx context.Context, s *Session, t *table) (func(), error) {
	me := &use{s, make(chan struct{})}
	for {
		m.mu.Lock()
		if t.locks.ddl == nil {
			t.locks.ddl = me
			m.mu.Unlock()
			break
		}
		other := t.locks.ddl
		m.mu.Unlock()
		if err := m.wait(ctx, s, []*Session{other.sess}, other.done); err != nil {
			return nil, err
		}
	}
	done := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		t.locks.ddl = nil
		close(me.done)
	}
	for {
		var other *use
		m.mu.Lock()
		for u := range t.locks.users {
			if u.sess != s {
				other = u
				break
			}
		}
		m.mu.Unlock()
		if other == nil {
			return done, nil
		}
		if err := m.wait(ctx, s, []*Session{other.sess}, other.done); err != nil {
			done()
			return nil, err
		}
	}
}
