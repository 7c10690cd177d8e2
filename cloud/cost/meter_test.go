package cost_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud/cost"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// Whatever comes, nothing is lost: endpoints and customers each are the whole.
// No customer is told to have cost more than it did.
func TestWindowsAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := cost.NewMeter(noon)
		var want cost.Sums
		of := map[string]time.Duration{}
		// Three customers are heavy; the others come by once, in any order.
		n := rapid.IntRange(0, 3000).Draw(t, "requests")
		seed := rapid.Uint32().Draw(t, "seed")
		for i := range n {
			seed = seed*1664525 + 1013904223
			s := cost.Sums{Requests: 1, Time: time.Duration(seed>>20) + 1, Rows: int64(i % 7), Read: int64(seed % 5)}
			customer := fmt.Sprintf("c%d", i)
			if seed>>8%4 == 0 {
				customer = fmt.Sprintf("heavy%d", seed>>10%3)
			}
			add(m, fmt.Sprintf("e%d", seed%3), fmt.Sprintf("d%d", seed>>4%700), customer, s)
			want.Add(s)
			of[customer] += s.Time
		}
		records := m.Turn(noon.Add(time.Minute))
		if n == 0 {
			if len(records) != 0 {
				t.Fatalf("%d records of nothing", len(records))
			}
			return
		}
		for _, r := range records {
			var customers cost.Sums
			told := map[string]time.Duration{}
			for _, l := range r.Window.Customers {
				customers.Add(l.Sums)
				if l.Name != cost.Other {
					told[l.Name] += l.Time
				}
			}
			if d := cmp.Diff(want, r.Window.Total()); d != "" {
				t.Fatal("endpoints: " + d)
			}
			if d := cmp.Diff(want, customers); d != "" {
				t.Fatal("customers: " + d)
			}
			if len(told) > 64 || len(r.Window.Endpoints) > 512+3 {
				t.Fatalf("%d customers, %d endpoints", len(told), len(r.Window.Endpoints))
			}
			for name, took := range told {
				if took > of[name] {
					t.Fatalf("%s took %v, told are %v", name, of[name], took)
				}
			}
		}
		if d := cmp.Diff(want, totals(m)); d != "" {
			t.Fatal("totals: " + d)
		}
	})
}

func totals(m *cost.Meter) (s cost.Sums) {
	for _, l := range m.Totals() {
		s.Add(l.Sums)
	}
	return s
}

// A customer that costs much is told exactly, however many others come by.
func TestHeavyCustomer(t *testing.T) {
	m := cost.NewMeter(noon)
	for i := range 20_000 {
		add(m, "POST rows", "t", fmt.Sprintf("light%d", i), cost.Sums{Requests: 1, Time: 1})
		if i%10 == 0 {
			add(m, "POST rows", "t", "acme", cost.Sums{Requests: 1, Time: 50, Rows: 3})
		}
	}
	m.Turn(noon.Add(time.Minute))
	got := m.Heaviest(1)
	if len(got) != 1 || got[0].Name != "acme" || got[0].Requests != 2000 || got[0].Rows != 6000 {
		t.Errorf("%+v", got)
	}
	if n := len(m.Heaviest(10)); n != 10 {
		t.Errorf("%d of ten", n)
	}
}

// Names are the customers' to choose, and must not break what Prometheus reads.
func TestNamesInMetrics(t *testing.T) {
	k := &cost.Keeper{Meter: cost.NewMeter(noon), Store: new(memory)}
	add(k.Meter, "POST rows", `a"b\c`+"\u200b\nd", "acme", cost.Sums{Requests: 1})
	var b strings.Builder
	k.WriteMetrics(&b)
	want := `tidemark_cost_requests_total{endpoint="POST rows",dataset="a\"b\\c` + "\u200b" + `\nd"} 1` + "\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("no %s in\n%s", want, b.String())
	}
}

// Records go by the clock: a minute that runs is written again, one that is
// over never; the hour holds its minutes.
func TestTurns(t *testing.T) {
	m := cost.NewMeter(noon.Add(58*time.Minute + 40*time.Second))
	type record struct {
		at       time.Duration // from noon
		requests int64
	}
	turn := func(minutes, seconds int, want ...record) {
		t.Helper()
		var got []record
		for _, r := range m.Turn(noon.Add(time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second)) {
			got = append(got, record{r.At.Sub(noon), r.Window.Total().Requests})
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(record{})); d != "" {
			t.Error(d)
		}
	}
	one := func() { add(m, "GET versions", "", "acme", cost.Sums{Requests: 1}) }
	one()
	turn(58, 50, record{58 * time.Minute, 1}, record{0, 1})
	one()
	turn(59, 2, record{58 * time.Minute, 2}, record{0, 2})
	turn(59, 30) // nothing
	one()
	turn(60, 3, record{59 * time.Minute, 1}, record{0, 3})
	one()
	turn(61, 3, record{time.Hour, 1}, record{time.Hour, 1})
	turn(130, 0)
	one()
	turn(131, 0, record{130 * time.Minute, 1}, record{2 * time.Hour, 1})
}
