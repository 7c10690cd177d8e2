//go:build !windows

package installer

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := begin(t.Context(), func(ctx context.Context, _ Manager) error { <-ctx.Done(); time.Sleep(10 * time.Second); return nil }, nil)
		told := 0
		if err := j.stop(func() { told++ }); err != nil || told < 9 {
			t.Errorf("%v, told %d times", err, told)
		}
	})
}

func TestWorkThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		j := begin(t.Context(), func(context.Context, Manager) error { <-release; return nil }, nil)
		began := time.Now()
		if err := j.stop(func() {}); !errors.Is(err, ErrHangs) || time.Since(began) != StopTime || StopTime >= 20*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		close(release)
	})
}

func TestWorkThatEnds(t *testing.T) {
	died := errors.New("died")
	for _, test := range []struct{ ends, want error }{{died, died}, {nil, ErrEnded}} {
		if err := Run(t.Context(), func(context.Context, Manager) error { return test.ends }); !errors.Is(err, test.want) {
			t.Errorf("%v, not %v", err, test.want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, func(ctx context.Context, _ Manager) error { cancel(); <-ctx.Done(); return nil })
	if err != nil {
		t.Errorf("%v", err)
	}
}

// systemd is told: ready, then signs of life as often as it wants them, then
// that it stops.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "400000000")
	ctx, cancel := context.WithCancel(t.Context())
	err = Run(ctx, func(ctx context.Context, m Manager) error {
		m.Ready()
		for range 1000 {
			m.Alive()
		}
		cancel()
		<-ctx.Done()
		for _, want := range []string{"READY=1", "WATCHDOG=1", "STOPPING=1"} { // the last comes while this still runs
			if err := socket.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
				return err
			}
			b := make([]byte, 100)
			n, err := socket.Read(b)
			if err != nil || string(b[:n]) != want {
				t.Errorf("%q, not %q: %v", b[:n], want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAliveIsToldOftenEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotifier(func(name string) string { return map[string]string{"WATCHDOG_USEC": "120000000"}[name] })
		var told []time.Duration
		for range 120 {
			time.Sleep(time.Second)
			was := n.last.Load()
			n.Alive()
			if n.last.Load() != was {
				told = append(told, time.Since(n.start))
			}
		}
		if len(told) != 4 || told[0] != time.Second || told[1] != 31*time.Second {
			t.Errorf("%v", told)
		}
	})
}
