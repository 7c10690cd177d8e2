package agent

import (
	"fmt"
	"testing"
	"time"
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
