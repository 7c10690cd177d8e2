package upkeep_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/cloud/sums/upkeep"
)

// A shelf is tables that lack a summary until they are tended, in pages of ten.
type shelf struct {
	tables []upkeep.Table // by name

	mu      sync.Mutex
	lacking map[upkeep.Table]bool
	fail    int // so many pages to come
	pages   int
}

func newShelf(n int) *shelf {
	s := &shelf{lacking: map[upkeep.Table]bool{}}
	for i := range n {
		t := upkeep.Table{Customer: "acme", Name: fmt.Sprintf("%06d", i)}
		s.tables = append(s.tables, t)
		s.lacking[t] = true
	}
	return s
}

func (s *shelf) tend(_ context.Context, t upkeep.Table) error {
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lacking, t)
	return nil
}

func (s *shelf) find(_ context.Context, behind upkeep.Table) (found []upkeep.Table, last upkeep.Table, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
	if s.fail > 0 {
		s.fail--
		return nil, last, false, errors.New("of the test")
	}
	at, _ := slices.BinarySearchFunc(s.tables, behind, func(t, of upkeep.Table) int { return strings.Compare(t.Name, of.Name+"\x00") })
	page := s.tables[at:min(at+10, len(s.tables))]
	for _, t := range page {
		if s.lacking[t] {
			found = append(found, t)
		}
		last = t
	}
	return found, last, len(page) == 10, nil
}

// left waits until nothing is done any more, and returns how many tables lack a
// summary, and how many pages were read.
func (s *shelf) left() (lacking, pages int) {
	time.Sleep(time.Hour)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lacking), s.pages
}

// What a process left behind is made, and pages that fail are read again.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(95)
		s.fail = 3
		delete(s.lacking, s.tables[7])
		q := upkeep.New(s.tend, s.find, nil)
		defer q.Close()
		q.CatchUp()
		if lacking, pages := s.left(); lacking > 0 || pages != 3+10 {
			t.Errorf("%d tables still lack a summary after %d pages", lacking, pages)
		}
		s.mu.Lock()
		s.lacking[s.tables[40]] = true
		s.mu.Unlock()
		q.CatchUp()
		q.CatchUp()
		if lacking, _ := s.left(); lacking > 0 {
			t.Errorf("%d tables lack a summary after another pass", lacking)
		}
	})
}

// More tables than the queue holds are all looked after.
func TestMoreThanWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(10_000)
		q := upkeep.New(s.tend, s.find, nil)
		defer q.Close()
		for _, table := range s.tables {
			q.Ask(table)
		}
		if lacking, _ := s.left(); lacking > 0 {
			t.Errorf("%d tables lack a summary", lacking)
		}
	})
}

// A table that is asked for while the search looks after it is so once more,
// and Close ends a search that waits.
func TestSearchedAndAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		var times atomic.Int32
		q := upkeep.New(func(context.Context, upkeep.Table) error {
			times.Add(1)
			<-leave
			return nil
		}, func(context.Context, upkeep.Table) ([]upkeep.Table, upkeep.Table, bool, error) {
			return []upkeep.Table{a}, a, true, nil
		}, nil)
		q.CatchUp()
		synctest.Wait()
		q.Ask(a)
		synctest.Wait()
		if times.Load() != 1 {
			t.Errorf("looked after %d times", times.Load())
		}
		leave <- struct{}{}
		synctest.Wait()
		if times.Load() != 2 {
			t.Errorf("looked after %d times when it was asked for", times.Load())
		}
		close(leave)
		synctest.Wait()
		q.Close()
	})
}
