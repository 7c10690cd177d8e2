package cloud

import (
	"fmt"
	"testing"
	"time"
)

// Every address has its pace, and all together have one.
func TestStrangers(t *testing.T) {
	var s strangers
	now := time.Now()
	let := func(n int, address func(int) string) (in int) {
		for i := range n {
			if s.admit(address(i), now) {
				in++
			}
		}
		return in
	}
	one := func(int) string { return "192.0.2.1:999" }
	if in := let(100, one); in != strangerBurst {
		t.Errorf("%d of one address", in)
	}
	house := func(i int) string { return fmt.Sprintf("[2001:db8:1:2::%x]:1", i) }
	if in := let(100, house); in != strangerBurst {
		t.Errorf("%d of one house", in)
	}
	many := func(i int) string { return fmt.Sprintf("198.51.%d.%d:1", i/250, i%250) }
	if in := let(3*strangersKept, many); in > strangersMost {
		t.Errorf("%d of many addresses", in)
	}
	if len(s.by) > strangersKept {
		t.Errorf("%d addresses are remembered", len(s.by))
	}
	now = now.Add(time.Minute)
	if in := let(100, one); in != strangerBurst {
		t.Errorf("%d of one address after a while", in)
	}
}
