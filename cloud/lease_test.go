package cloud

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLeaseSpread lets 10,000 customers come back after a start and after an
// outage that let places pass: no minute has more than 1.75 times the mean,
// not even where those who were told of places twice as far apart meet those
// who no longer are.
func TestLeaseSpread(t *testing.T) {
	const customers = 10_000
	terms := LeaseTerms{}.terms()
	start := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	// outage is when nobody is answered; who comes then waits for its next place.
	for name, outage := range map[string]time.Duration{"start": 0, "minutes": 7 * time.Minute, "hour": time.Hour, "day": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			back := start.Add(time.Hour + outage)
			minutes := map[int]int{} // since the server is back
			until := back.Add(4 * terms.Every)
			for i := range customers {
				customer := fmt.Sprintf("customer-%d", i)
				now, runs := start, time.Duration(0) // all speak to a server that starts
				for now.Before(until) {
					l, _ := terms.lease(customer, now, runs)
					now = now.Add(l.Return)
					for now.After(start.Add(time.Hour)) && now.Before(back) {
						now = now.Add(l.Every)
					}
					if runs = now.Sub(start); !now.Before(back) && outage > 0 {
						runs = now.Sub(back)
					}
					minutes[int(now.Sub(start)/time.Minute)]++
				}
			}
			mean := float64(customers) / terms.Every.Minutes()
			for minute, n := range minutes {
				if at := start.Add(time.Duration(minute) * time.Minute); at.Before(until.Add(-time.Minute)) && float64(n) > 1.75*mean {
					t.Errorf("minute %d: %d, the mean is %.0f", minute, n, mean)
				}
			}
		})
	}
}

// TestLeaseBounds holds what a site may rely on, whenever it asks.
func TestLeaseBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.Int64Range(int64(time.Second), int64(24*time.Hour)).Draw(t, "every"))
		terms := LeaseTerms{Every: every}
		customer := rapid.String().Draw(t, "customer")
		now := time.Unix(rapid.Int64Range(-1e9, 4e9).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond"))
		l, ok := terms.lease(customer, now, time.Duration(rapid.Int64Range(0, int64(2*every)).Draw(t, "runs")))
		if !ok || l.Every < every || l.Every > 2*every || l.Return < l.Every/2 || l.Return > l.Every*3/2+1 || l.Hold <= l.Return || l.Pace > l.Every {
			t.Errorf("%+v", l)
		}
		// Who comes at its place is sent to the next one; who asks before it, to the same.
		place := now.Add(l.Return)
		next, _ := terms.lease(customer, place, 2*every)
		if l.Every == every && (next.Return-every).Abs() > time.Microsecond {
			t.Errorf("places %s apart, not %s", next.Return, every)
		}
	})
	if _, ok := (LeaseTerms{Every: -1}).lease("acme", time.Now(), 0); ok {
		t.Error("a lease where there are none")
	}
}
