package fleet

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of attempts to sign in that fail: of one address, and of all.
const (
	attemptsAtOnce = 10
	attemptEvery   = 6 * time.Second
	allAtOnce      = 200
	allEvery       = 100 * time.Millisecond
	mostAddresses  = 4096
)

// attempts bounds how often keys are tried. A key has 130 random bits: this
// keeps guessing from costing anything, and out of the log.
type attempts struct {
	mu  sync.Mutex
	of  map[string]*bucket
	all bucket
}

// A bucket holds what was spent, and loses one every so often.
type bucket struct {
	spent int
	since time.Time
}

func (b *bucket) wait(now time.Time, most int, every time.Duration) time.Duration {
	if n := now.Sub(b.since) / every; n > 0 || b.since.IsZero() || now.Before(b.since) {
		b.spent, b.since = max(0, b.spent-int(min(n, 1<<20))), now
	}
	if b.spent < most {
		return 0
	}
	return max(every-now.Sub(b.since), time.Second)
}

// wait is how long an address has to wait before its next attempt; 0: not at
// all.
func (a *attempts) wait(address string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.all.wait(now, allAtOnce, allEvery)
	if b := a.of[address]; b != nil {
		w = max(w, b.wait(now, attemptsAtOnce, attemptEvery))
	}
	return w
}

// failed counts an attempt.
func (a *attempts) failed(address string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.wait(now, allAtOnce, allEvery)
	a.all.spent++
	if a.of == nil || len(a.of) >= mostAddresses {
		a.of = map[string]*bucket{} // they have the bound of all
	}
	b := a.of[address]
	if b == nil {
		b = new(bucket)
		a.of[address] = b
	}
	b.wait(now, attemptsAtOnce, attemptEvery)
	b.spent++
}

// address is whose attempts are counted together. IPv6 addresses are given out
// by networks of 64 bits.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
