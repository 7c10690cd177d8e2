package fleet

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Text can be read in both palettes: 4.5 to 1 (WCAG 2.2, 1.4.3).
func TestContrast(t *testing.T) {
	css, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	palettes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(palettes) != 2 {
		t.Fatalf("%d palettes", len(palettes))
	}
	for i, name := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): #(\w+);`).FindAllStringSubmatch(palettes[i][1], -1) {
			colours[m[1]] = m[2]
		}
		hot := []string{"bright", "dark"}[i] // on the two hottest
		for _, pair := range []string{"ink paper", "ink card", "ink wash", "ink line", "ink faint", "soft paper", "soft card", "blue paper", "paper blue", "paper ink",
			"good paper", "mild paper", "bad paper", "bad card", "soft l1", "l2t l2", "ink l3", "ink l4", "dark l5", hot + " l6", hot + " l7"} {
			a, b, _ := strings.Cut(pair, " ")
			if colours[a] == "" || colours[b] == "" {
				t.Fatalf("%s: there is no %s", name, pair)
			}
			x, y := luminance(t, colours[a]), luminance(t, colours[b])
			if ratio := (max(x, y) + 0.05) / (min(x, y) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %s has %.2f", name, pair, ratio)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
		v := float64(n>>(8*i)&0xff) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// What is shown of names keeps its end, and durations say little.
func TestFormats(t *testing.T) {
	for want, got := range map[string]string{
		"0s": duration(0), "59s": duration(59e9), "1m 30s": duration(90e9), "1d 2h": duration(26 * 3600e9), "12d": duration(12*86400e9 + 7200e9),
		"1m": brief(5e9), "59m": brief(3599e9), "23h": brief(86399e9), "99d": brief(1 << 62),
		"…lines": shorten("dbo.order_lines", 6), "ab": shorten("ab", 2), "…b": shorten("aab", 2),
		"1K": short(1000), "2.5M": short(2_500_000), "12.3": short(12.34), "0": short(0),
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	for _, n := range []float64{0, 0.5, 1, 3, 10, 11, 499, 1e9 + 1} {
		if top := roundUp(n); top < n || top > max(1, 2.6*n) {
			t.Errorf("a scale for %g ends at %g", n, top)
		}
	}
}

// Guessing is bounded for an address, for all of them, and forgotten with time.
func TestAttempts(t *testing.T) {
	var a attempts
	now := time.Unix(1_800_000_000, 0)
	for range attemptsAtOnce {
		if a.wait("x", now) != 0 {
			t.Fatal("too early")
		}
		a.failed("x", now)
	}
	if w := a.wait("x", now); w != attemptEvery {
		t.Errorf("wait %s", w)
	}
	if w := a.wait("y", now); w != 0 {
		t.Errorf("another waits %s", w)
	}
	if w := a.wait("x", now.Add(attemptEvery)); w != 0 {
		t.Errorf("later: %s", w)
	}
	for i := range 5 * mostAddresses {
		a.failed(strconv.Itoa(i), now)
	}
	if len(a.of) > mostAddresses {
		t.Errorf("%d addresses are kept", len(a.of))
	}
	if a.wait("z", now) == 0 {
		t.Error("all together are not bounded")
	}
	if w := a.wait("z", now.Add(1e6*allEvery)); w != 0 {
		t.Errorf("for ever: %s", w)
	}
}
