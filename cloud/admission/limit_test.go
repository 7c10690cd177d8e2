package admission

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A database that works on so many requests at a time; each takes longer the
// more there are.
type database struct {
	mu     sync.Mutex
	room   int
	inside int
	usual  time.Duration
}

func (d *database) work() {
	d.mu.Lock()
	d.inside++
	took := d.usual * time.Duration(max(d.room, d.inside)) / time.Duration(d.room)
	d.mu.Unlock()
	time.Sleep(took * time.Duration(90+rand.IntN(20)) / 100)
	d.mu.Lock()
	d.inside--
	d.mu.Unlock()
}

// settle has clients ask without a pause for a while and returns the limit at
// its end.
func settle(t *testing.T, c *Control, clients int, d *database) int {
	var wg sync.WaitGroup
	end := time.Now().Add(2 * time.Minute)
	for i := range clients {
		wg.Go(func() {
			for time.Now().Before(end) {
				p, err := c.Enter(t.Context(), Change, string(rune('a'+i%16)), 1000)
				if err != nil {
					time.Sleep(time.Second)
					continue
				}
				d.work()
				p.Leave(false, false)
			}
		})
	}
	wg.Wait()
	return c.Figures()[Change].Limit
}

func TestLimitFollowsTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Classes: bounds(2, 100, 200), Patience: time.Minute})
		d := &database{room: 16, usual: 20 * time.Millisecond}
		if n := settle(t, c, 8, d); n != 100 {
			t.Errorf("a database that is not busy lowers the limit to %d", n)
		}
		if n := settle(t, c, 150, d); n < 16 || n > 50 {
			t.Errorf("a database with room for 16 has a limit of %d", n)
		}
		d.room = 4 // a neighbour came
		if n := settle(t, c, 150, d); n < 2 || n > 16 {
			t.Errorf("a database with room for 4 has a limit of %d", n)
		}
		d.room = 64
		if n := settle(t, c, 150, d); n < 60 {
			t.Errorf("a database with room for 64 has a limit of %d", n)
		}
	})
}

func TestLimitHoldsSizesApart(t *testing.T) {
	l := newLimit(Bounds{Least: 1, Most: 40, Quick: time.Millisecond})
	at := time.Now()
	spend := func(windows, small, large int, slow float64) {
		for range windows {
			for i := range small + large {
				bytes, took := 100, 3*time.Millisecond
				if i < large {
					bytes, took = 1<<20, 300*time.Millisecond
				}
				l.done(at, bytes, time.Duration(slow*float64(took)), false, 40)
			}
			at = at.Add(windowTime)
			l.done(at, 100, time.Duration(slow*float64(3*time.Millisecond)), false, 40)
		}
	}
	spend(10, 100, 1, 1)
	if spend(10, 0, 50, 1); l.value() != 40 {
		t.Errorf("more large work lowers the limit to %d", l.value())
	}
	if spend(3, 10, 10, 4); l.value() > 10 {
		t.Errorf("work that takes four times as long leaves the limit at %d", l.value())
	}
	if spend(100, 10, 10, 4); l.value() != 1 {
		t.Errorf("and then at %d", l.value())
	}
	if spend(25, 10, 10, 1); l.value() != 40 {
		t.Errorf("it recovers to %d", l.value())
	}
}

// It begins where it is told to, and grows for those who wait, though each of
// them has its share and the places are not all taken.
func TestLimitGrowsFromTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{Classes: bounds(2, 12, 20), Patience: time.Minute}
		config.Classes[Change].First = 4
		config.Classes[Load].First = 4
		c := New(config)
		if n := c.Figures()[Change].Limit; n != 4 {
			t.Errorf("it begins with %d", n)
		}
		work := func(class Class, clients int) int {
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					for range 3000 {
						p, err := c.Enter(t.Context(), class, "acme", 1000)
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(20 * time.Millisecond)
						p.Leave(false, false)
					}
				})
			}
			wg.Wait()
			return c.Figures()[class].Limit
		}
		if n := work(Change, 1); n != 4 {
			t.Errorf("one at a time makes it %d", n)
		}
		if n := work(Load, 3); shareOf(n) < 3 {
			t.Errorf("one customer whose requests wait for its share makes it %d", n)
		}
	})
}

// Between what is usual and what is too slow, a limit stays.
func TestLimitStaysWhereWorkIsSlower(t *testing.T) {
	l := newLimit(Bounds{Least: 4, Most: 40, First: 8, Quick: time.Millisecond})
	at := time.Now()
	spend := func(windows int, took time.Duration) {
		for range windows {
			for range 2 * fewest {
				l.done(at, 1000, took, false, 40)
			}
			at = at.Add(windowTime)
		}
	}
	spend(2, 10*time.Millisecond)
	spend(1, 16*time.Millisecond) // closes the window before
	first := l.value()
	if spend(20, 16*time.Millisecond); l.value() != first {
		t.Errorf("from %d to %d", first, l.value())
	}
	if spend(20, 10*time.Millisecond); l.value() != 40 {
		t.Errorf("as usual again: %d", l.value())
	}
}

func TestLimitShrinksWhenWorkFails(t *testing.T) {
	l := newLimit(Bounds{Least: 3, Most: 40})
	at := time.Now()
	for range 400 {
		at = at.Add(100 * time.Millisecond)
		l.done(at, 1, 0, true, 40)
	}
	if l.value() != 3 {
		t.Errorf("%d", l.value())
	}
}

func TestQuickWorkIsNoOverload(t *testing.T) {
	l := newLimit(Bounds{Least: 1, Most: 40, Quick: 20 * time.Millisecond})
	at := time.Now()
	for i := range 400 {
		at = at.Add(10 * time.Millisecond)
		took := 20 * time.Microsecond // from memory
		if i > 200 {
			took = 5 * time.Millisecond
		}
		l.done(at, 1, took, false, 40)
	}
	if l.value() != 40 {
		t.Errorf("%d", l.value())
	}
}

func TestSizes(t *testing.T) {
	for bytes, want := range map[int]int{-1: 0, 0: 0, 256: 0, 257: 1, 1024: 1, 1025: 2, 4096: 2, 1 << 20: 6, 1 << 40: sizes - 1} {
		if got := sizeOf(bytes); got != want {
			t.Errorf("%d bytes: %d, want %d", bytes, got, want)
		}
	}
}
