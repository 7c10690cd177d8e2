package main

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": -time.Second, "12ms": 12345 * time.Microsecond, "59s": 59900 * time.Millisecond, "4m": 4*time.Minute + 59*time.Second,
		"3h": 3 * time.Hour, "3h 20m": 3*time.Hour + 20*time.Minute, "2d 5h": 53*time.Hour + time.Minute, "7d": 168 * time.Hour, "1h 10m": 70 * time.Minute,
	} {
		if got := span(d); got != want {
			t.Errorf("%s is %s, not %s", d, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for want, n := range map[string]int64{"0 rows": 0, "1 row": 1, "2,001 rows": 2001} {
		if got := plural(n, "row"); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
