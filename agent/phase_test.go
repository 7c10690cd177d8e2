package agent

import (
	"fmt"
	"testing"
	"time"

	"tidemark/internal/wire"
)

// Sites that start at once, as after a power cut, come for the first time at
// places of their own, which are the same after every start.
func TestFirstContactIsSpread(t *testing.T) {
	const sites = 10_000
	minutes := map[int]int{}
	for i := range sites {
		a := new(Agent)
		a.site.Customer = fmt.Sprintf("customer-%d", i)
		at := a.phase(firstContact)
		if at < 0 || at >= firstContact || at != a.phase(firstContact) {
			t.Fatalf("%s at %s, and at %s", a.site.Customer, at, a.phase(firstContact))
		}
		minutes[int(at/time.Minute)]++
	}
	mean := sites / int(firstContact/time.Minute)
	for minute, n := range minutes {
		if n > mean*5/4 {
			t.Errorf("%d sites in minute %d, the mean is %d", n, minute, mean)
		}
	}
}

// When the operator forces skips on a fleet whose tables change all the time,
// and which hears of it at once, the tables are looked at one after the other from
// then on, also when there are to be more skips later; none skips more than it
// is asked to, and after the first time none less.
func TestForcedSkipsOfThePolicyAreSpread(t *testing.T) {
	const tables = 2000
	asks := func(n int) narrowing {
		return narrowing{wire.Policy{Tables: map[string]wire.TablePolicy{"*": {ForcedSkips: n}}}, true}
	}
	looked := make([]int, 2000) // by cycle
	for i := range tables {
		var f forcing
		since, syncs := 0, 0
		for cycle := range looked {
			n, asked := asks(0), 0
			switch {
			case cycle == 0:
				n = narrowing{} // the cloud was not heard yet
			case cycle >= 1000:
				n, asked = asks(180), 180
			case cycle >= 10:
				n, asked = asks(60), 60
			}
			if cycle == 1000 {
				syncs = 0
			}
			if since < f.skips(n, "t", 0, since, fmt.Sprint("site-", i)) {
				since++
				continue
			}
			if since > asked || asked > 0 && syncs > 0 && since != asked {
				t.Fatalf("table %d skipped %d times of %d", i, since, asked)
			}
			looked[cycle]++
			since = 0
			if asked > 0 {
				syncs++
			}
		}
	}
	for cycle, n := range looked {
		mean := tables // of a cycle
		switch {
		case cycle >= 1000:
			mean = tables / 181
		case cycle >= 10:
			mean = tables / 61
		}
		if n > 3*mean {
			t.Errorf("%d of %d tables are looked at in cycle %d", n, tables, cycle)
		}
	}
}

// One that starts with a policy keeps it whole: it has skipped before.
func TestForcedSkipsOfAStart(t *testing.T) {
	n := narrowing{wire.Policy{Tables: map[string]wire.TablePolicy{"t": {ForcedSkips: 60}}}, true}
	var f forcing
	for since := range 60 {
		if got := f.skips(n, "t", 0, since, "site-1 t"); got != 60 {
			t.Errorf("%d skips", got)
		}
	}
	if got := f.skips(n, "another", 0, 3, "site-1 t"); got != 0 {
		t.Errorf("%d skips of a table that the policy does not name", got)
	}
}
