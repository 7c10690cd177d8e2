package page

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// A scale ends at or above the largest value, and not far above it.
func TestScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := math.Exp(rapid.Float64Range(0, 30).Draw(t, "log"))
		for name, top := range map[string]func(float64) float64{"time": topOfTime, "count": topOf(10), "size": topOfSize} {
			if got := top(n); got < n || got > max(10, 3.1*n) {
				t.Errorf("%s: %g ends at %g", name, n, got)
			}
		}
	})
	for text, got := range map[string]string{
		"0s": seconds(0), "59s": seconds(59), "1m 30s": seconds(90), "1h": seconds(3600), "2d 2h": seconds(180_000), "0": count(0), "2.3": count(2.34), "1,235": count(1234.6), "35 KiB": size(35_840),
	} {
		if got != text {
			t.Errorf("%s, not %s", got, text)
		}
	}
}
