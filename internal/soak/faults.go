//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// A fault is one thing that breaks, and comes back by itself.
type fault struct {
	name string
	// do breaks it, waits for about so long where it lasts, and mends it, also
	// when ctx ends. It is false where there was nothing to break.
	do func(ctx context.Context, lasts time.Duration) (bool, error)
}

// A plague is one kind of faults: one at a time, and beside those of other
// plagues.
type plague struct {
	every  time.Duration // from one to the next, on average
	lasts  time.Duration // on average
	faults []fault
}

// A tally counts faults by name, and says them as they come.
type tally struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
	count map[string]int
}

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[name]++
	fmt.Fprintf(t.out, "%7.1fs %s\n", time.Since(t.began).Seconds(), name)
}

func (t *tally) of(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[name]
}

// run breaks until ctx ends.
func (p plague) run(ctx context.Context, r *rand.Rand, t *tally) error {
	for pause(ctx, about(r, p.every)) {
		f := p.faults[r.IntN(len(p.faults))]
		did, err := f.do(ctx, about(r, p.lasts))
		if err != nil {
			return fmt.Errorf("fault %s: %w", f.name, err)
		}
		if did {
			t.add(f.name)
		}
	}
	return nil
}

// about is between half and one and a half of d.
func about(r *rand.Rand, d time.Duration) time.Duration {
	return d/2 + time.Duration(r.Int64N(int64(d)+1))
}

// Names of faults, as the report has them.
const (
	killAgent     = "kill -9 of the agent"
	killAPI       = "kill -9 of the API"
	killPostgres  = "kill -9 of Postgres"
	killBackend   = "kill -9 of one backend of Postgres"
	fastStop      = "Postgres restarted (fast)"
	immediateStop = "Postgres restarted (immediate)"
	linkCut       = "link cut"
	linkSlow      = "link slowed"
	proxyResets   = "spell of resets before the API"
	proxySlow     = "spell of delays and throttling before the API"
	proxyRefuses  = "API unreachable"
	proxyAll      = "all connections to the API reset"
	backResets    = "spell of resets before Postgres"
	backAll       = "all connections to Postgres reset"
	postgresFull  = "disk of Postgres full"
	siteFull      = "disk of the agent full"
)

// kills are those of the three processes.
func (w *world) kills() []fault {
	kill := func(name string, d *daemon, s syscall.Signal) fault {
		return fault{name, func(context.Context, time.Duration) (bool, error) { return d.signal(s), nil }}
	}
	return []fault{
		kill(killAgent, w.agent, syscall.SIGKILL), kill(killAPI, w.api, syscall.SIGKILL),
		kill(killPostgres, w.db.daemon, syscall.SIGKILL),
		{killBackend, func(context.Context, time.Duration) (bool, error) { return w.db.killBackend(), nil }},
		kill(fastStop, w.db.daemon, syscall.SIGINT), kill(immediateStop, w.db.daemon, syscall.SIGQUIT),
	}
}

// storms are what the proxies do.
func (w *world) storms() []fault {
	spell := func(name string, p *proxy, bad weather) fault {
		return fault{name, func(ctx context.Context, lasts time.Duration) (bool, error) {
			p.set(bad)
			pause(ctx, lasts)
			p.set(weather{})
			return true, nil
		}}
	}
	all := func(name string, p *proxy) fault {
		return fault{name, func(context.Context, time.Duration) (bool, error) { p.resetAll(); return true, nil }}
	}
	return []fault{
		spell(proxyResets, w.front, weather{reset: 0.15}),
		spell(proxySlow, w.front, weather{delay: 200 * time.Millisecond, rate: 16 << 10}),
		spell(proxyRefuses, w.front, weather{refusing: true}),
		all(proxyAll, w.front),
		spell(backResets, w.back, weather{reset: 0.02}),
		all(backAll, w.back),
	}
}

// links are what the link between the site and the cloud does.
func (w *world) links() []fault {
	if w.ns == nil {
		return nil
	}
	lasting := func(name string, begin, end func(context.Context) error) fault {
		return fault{name, func(ctx context.Context, lasts time.Duration) (bool, error) {
			if err := begin(context.WithoutCancel(ctx)); err != nil {
				return false, err
			}
			pause(ctx, lasts)
			return true, end(context.WithoutCancel(ctx))
		}}
	}
	all := []fault{lasting(linkCut, w.ns.cut, w.ns.heal)}
	if w.ns.slow != "" {
		all = append(all, lasting(linkSlow, w.ns.crawl, w.ns.normal))
	}
	return all
}

// floods are full disks.
func (w *world) floods() (all []fault) {
	for name, d := range map[string]*disk{postgresFull: w.pgDisk, siteFull: w.siteDisk} {
		if !d.mounted {
			continue
		}
		all = append(all, fault{name, func(ctx context.Context, lasts time.Duration) (bool, error) {
			err := d.fill()
			if name == postgresFull {
				w.db.newSegment(ctx)
			}
			for end := time.Now().Add(lasts); err == nil && time.Now().Before(end) && pause(ctx, time.Second); {
				err = d.fill() // also what was freed meanwhile
			}
			return true, errors.Join(err, d.free())
		}})
	}
	return all
}
