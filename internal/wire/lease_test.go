package wire

import (
	"testing"
	"time"
)

func TestLease(t *testing.T) {
	l := Lease{Hold: time.Hour, Return: 1432500 * time.Millisecond, Every: 30 * time.Minute, Pace: 5 * time.Minute}
	if got := l.String(); got != "hold=3600, return=1432.5, every=1800, pace=300" {
		t.Error(got)
	}
	for field, want := range map[string]Lease{
		l.String(): l,
		`return=1432.5;about=1,every=1800 ,	pace=300, new="a, b=c", hold=3600, other`: l,
		"hold=3600, return=1, every=1":             {},
		"hold=3600, return=0, every=1, pace=1":     {},
		"hold=3600, return=-5, every=1, pace=1":    {},
		"hold=NaN, return=1, every=1, pace=1":      {},
		"hold=1e9, return=1, every=1, pace=1":      {},
		"hold=\"3600\", return=1, every=1, pace=1": {},
		"": {},
	} {
		if got, ok := ParseLease(field); ok != (want != Lease{}) || ok && got != want {
			t.Errorf("%q: %+v, %v", field, got, ok)
		}
	}
}
