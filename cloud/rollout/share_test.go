package rollout

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestParseShare(t *testing.T) {
	for text, want := range map[string]Share{"1%": 100, "0.25%": 25, "100": All, "all": All, "0%": 0, " 10 %": 1000, "33.33%": 3333} {
		if got, err := ParseShare(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "%", "x", "-1%", "101%", "NaN", "0.001%", "1e9", "Inf"} {
		if got, err := ParseShare(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Share(rapid.IntRange(0, int(All)).Draw(t, "share"))
		if got, err := ParseShare(s.String()); err != nil || got != s {
			t.Fatalf("%s is read as %s, %v", s, got, err)
		}
	})
}

// A share that grows keeps those who are in, and everybody is in at the end.
func TestShareGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, customer := rapid.String().Draw(t, "seed"), rapid.String().Draw(t, "customer")
		a := Share(rapid.IntRange(0, int(All)).Draw(t, "a"))
		b := Share(rapid.IntRange(int(a), int(All)).Draw(t, "b"))
		if a.Has(seed, customer) && !b.Has(seed, customer) {
			t.Fatalf("in %s, not in %s", a, b)
		}
		if Share(0).Has(seed, customer) || !All.Has(seed, customer) {
			t.Fatal("nobody and everybody")
		}
	})
}

// The share is what it says, and seeds choose for themselves.
func TestShareIsFair(t *testing.T) {
	const n = 20_000
	for _, share := range []Share{100, 1000, 5000} {
		p := float64(share) / float64(All)
		in, both := 0, 0
		for i := range n {
			customer := fmt.Sprintf("customer-%d", i)
			if share.Has("a", customer) {
				in++
				if share.Has("b", customer) {
					both++
				}
			}
		}
		for _, c := range []struct {
			name string
			got  int
			p    float64
		}{{"in", in, p}, {"in both", both, p * p}} {
			if off := math.Abs(float64(c.got) - n*c.p); off > 5*math.Sqrt(n*c.p*(1-c.p)) {
				t.Errorf("%s of %d: %d are %s, not about %.0f", share, n, c.got, c.name, n*c.p)
			}
		}
	}
}

// Who is in may not change with the program.
func TestShareIsStable(t *testing.T) {
	var in []int
	for i := range 200 {
		if Share(200).Has("orders", fmt.Sprint(i)) {
			in = append(in, i)
		}
	}
	if got, want := fmt.Sprint(in), "[21 25 66 68 81 154 183 184 195]"; got != want {
		t.Errorf("2%% are %s, not %s", got, want)
	}
}
