package rollout

import (
	"encoding/json"
	"testing"
)

// A share or a bound that is taken is one that is there, and is read as it is
// written.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"25%", "all", "0.01", "1e-400%", "NaN", "reads=2x", "latency=250ms", "lag=1h", "queue=1e999", "reads=2000/s", "latency=-5m", "reads=Infx"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseShare(text); err == nil {
			if again, err := ParseShare(s.String()); err != nil || again != s || s < 0 || s > All {
				t.Fatalf("%q is %d, written %q, read %d (%v)", text, s, s, again, err)
			}
		}
		b, err := ParseBound(text)
		if err != nil {
			return
		}
		if b.Most < 0 || b.Times < 0 || b.Most > 0 == (b.Times > 0) {
			t.Fatalf("%q is %+v", text, b)
		}
		if _, err := json.Marshal(b); err != nil {
			t.Fatalf("%q is %+v: %v", text, b, err)
		}
	})
}
