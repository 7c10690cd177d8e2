package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestFollow changes a file under a follower whose clock is not the file's.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tidemark.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var reloads atomic.Int64
		var refuse atomic.Bool
		f := &follower{path: path}
		f.reload = func(context.Context) error {
			f.begin()
			if reloads.Add(1); refuse.Load() {
				return errors.New("a mistake")
			}
			return nil
		}
		f.begin()
		ended := make(chan struct{})
		go func() { defer close(ended); f.follow(ctx, nil) }()
		after := func(d time.Duration, want int64, what string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if reloads.Load() != want {
				t.Fatalf("%s: read %d times, not %d", what, reloads.Load(), want)
			}
		}
		after(10*time.Minute, 0, "nothing happens")
		write("two")
		after(3*lookEvery, 1, "changed")
		after(10*time.Minute, 1, "and no more")
		for range 5 { // an editor, or a copy over a slow network
			write("more" + time.Now().String())
			after(lookEvery, 1, "being written")
		}
		after(2*lookEvery, 2, "written")
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		after(10*time.Minute, 2, "touched")

		info, err := os.Stat(path) // another content that looks the same
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, info.Size())
		write(string(b))
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		after(lookInside+3*lookEvery, 3, "changed unseen")

		refuse.Store(true)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		after(3*lookEvery, 4, "removed")
		after(lookRetry+2*lookEvery, 5, "tried again")
		refuse.Store(false)
		after(lookRetry+2*lookEvery, 6, "tried again with success")
		after(10*time.Minute, 6, "and no more")

		write("by command")
		_ = f.reload(ctx)
		after(10*time.Minute, 7, "read already")
		stop()
		<-ended
	})
}

// Tables that come are looked for by the hour, and soon where some are missing.
func TestFollowTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var reloads, looks atomic.Int64
		var come atomic.Bool
		f := &follower{path: filepath.Join(t.TempDir(), "none"), retry: true}
		f.reload = func(context.Context) error { reloads.Add(1); return nil }
		f.stale = func(context.Context) bool { looks.Add(1); return come.Swap(false) }
		f.begin()
		ended := make(chan struct{})
		go func() { defer close(ended); f.follow(ctx, nil) }()
		for _, step := range []struct {
			wait           time.Duration
			come           bool
			reloads, looks int64
		}{
			{2 * lookEvery, false, 1, 0},
			{59 * time.Minute, false, 1, 0},
			{2 * time.Minute, true, 1, 1},
			{time.Hour, false, 2, 2},
			{5 * time.Hour, false, 2, 7},
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			if reloads.Load() != step.reloads || looks.Load() != step.looks {
				t.Errorf("%+v: %d reloads, %d looks", step, reloads.Load(), looks.Load())
			}
			come.Store(step.come)
		}
		stop()
		<-ended
	})
}

// SIGHUP has the file read again although it is the same.
func TestFollowHangup(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	f := &follower{path: filepath.Join(t.TempDir(), "none"), reload: func(context.Context) error { stop(); return nil }}
	f.begin()
	ended := make(chan struct{})
	go func() { defer close(ended); f.run(ctx) }()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP) // before the follower does, it would end this process
	defer signal.Stop(caught)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if err := self.Signal(syscall.SIGHUP); err != nil {
			t.Skip("this system has no such signal:", err)
		}
		time.Sleep(time.Millisecond)
	}
	<-ended
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("the signal was not heard")
	}
}
