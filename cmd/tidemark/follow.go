package main

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// How often the configuration file is looked at; how often it is read although
// nothing shows that it has changed, because clocks and file systems are
// coarse; and how often a configuration that could not be used is tried again,
// because a secret or a certificate that it lacked may be there now; and how
// often a look is taken for tables that patterns take.
const (
	lookEvery  = 2 * time.Second
	lookInside = time.Minute
	lookRetry  = time.Minute
	lookTables = time.Hour
)

// A follower reads the configuration again when its file changes, and on
// SIGHUP. A file that is being written is waited for: it is read when two
// looks in a row find the same.
type follower struct {
	path   string
	reload func(context.Context) error
	retry  bool                       // the configuration in force is not complete: read it again soon
	stale  func(context.Context) bool // tells whether other tables are there than when it was read; nil: never

	mu   sync.Mutex
	read look // what the configuration in force, or refused, was read from
}

// A look is what was seen of a file.
type look struct {
	size     int64
	changed  time.Time
	contents [sha256.Size]byte // zero: it could not be read
}

// about is what a look costs no reading for.
func (l look) about() look { return look{size: l.size, changed: l.changed} }

// begin notes what is read now. It is called before every reading of the
// configuration, whoever asked for it.
func (f *follower) begin() {
	now := f.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = now
}

func (f *follower) last() look {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read
}

func (f *follower) look() look {
	l := f.glance()
	file, err := os.Open(f.path)
	if err != nil {
		return l
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(file, 8<<20)); err == nil { // what is larger is no configuration
		sum.Sum(l.contents[:0])
	}
	return l
}

func (f *follower) glance() look {
	info, err := os.Stat(f.path)
	if err != nil {
		return look{}
	}
	return look{size: info.Size(), changed: info.ModTime()}
}

// run follows file and signals until ctx ends.
func (f *follower) run(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // never comes on Windows
	defer signal.Stop(hangup)
	f.follow(ctx, hangup)
}

func (f *follower) follow(ctx context.Context, hangup <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	seen, read := f.last(), time.Now()
	asked := time.Now()
	var failed time.Time
	if f.retry {
		failed = time.Now().Add(-lookRetry)
	}
	again := func() {
		failed = time.Time{}
		if f.reload(ctx) != nil { // the agent tells
			failed = time.Now()
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			again()
			continue
		case <-tick.C:
		}
		was := f.last()
		if f.glance() == was.about() && seen == was && time.Since(read) < lookInside {
			if !failed.IsZero() && time.Since(failed) >= lookRetry {
				again()
			}
			if f.stale != nil && time.Since(asked) >= lookTables {
				if asked = time.Now(); f.stale(ctx) {
					again()
				}
			}
			continue
		}
		now := f.look()
		read = time.Now()
		switch {
		case now.contents == was.contents:
			f.settle(was, now)
			seen = f.last()
		case now == seen: // for the second time
			again()
			seen = f.last()
		default:
			seen = now
		}
	}
}

// settle notes that the file was touched and is what it was.
func (f *follower) settle(was, now look) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == was { // else it was read again meanwhile
		f.read = now
	}
}
