package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidemark/agent"
	"tidemark/agent/control"
	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked is an agent.Control that notes what it is asked and answers as told.
type asked struct {
	mu    sync.Mutex
	calls []string
	err   error
	hold  chan struct{} // Sync waits for it
	begun chan struct{} // Sync tells that it began
}

func (a *asked) note(format string, args ...any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
	return a.err
}

var when = time.Date(2026, 11, 24, 8, 0, 0, 123, time.UTC)

func (a *asked) Status(context.Context) (agent.Status, error) {
	return agent.Status{SchemaVersion: 1, Time: when, Healthy: true, Tables: []agent.TableStatus{{Name: "dbo.a", High: 1<<64 - 1}}}, a.note("status")
}

func (a *asked) Explain(_ context.Context, t string) (agent.Explanation, error) {
	return agent.Explanation{Table: t, Same: true, Entry: &journal.Entry{Rule: 3}}, a.note("explain %s", t)
}

func (a *asked) Journal(_ context.Context, t string, n int) ([]journal.Entry, error) {
	return []journal.Entry{{Table: t}}, a.note("journal %s %d", t, n)
}

func (a *asked) Quarantine(_ context.Context, t string) ([]agent.QuarantinedRow, error) {
	return []agent.QuarantinedRow{{Table: t, Key: `["é"]`}}, a.note("quarantine %s", t)
}

func (a *asked) Sync(ctx context.Context, t string) (agent.SyncReport, error) {
	err := a.note("sync %s", t)
	if a.hold != nil {
		a.begun <- struct{}{}
		select {
		case <-a.hold:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return agent.SyncReport{Entry: journal.Entry{Table: t, Action: "nothing"}, Before: []journal.Entry{{Table: t, Action: "upload"}}}, err
}

func (a *asked) Diff(_ context.Context, t string, dry bool) (agent.DiffReport, error) {
	return agent.DiffReport{Table: t, DryRun: dry}, a.note("diff %s %v", t, dry)
}

func (a *asked) Approve(_ context.Context, t string) (agent.Approval, error) {
	return agent.Approval{Deletes: 7, Since: when}, a.note("approve %s", t)
}

func (a *asked) Pause(_ context.Context, t, reason string) error {
	return a.note("pause %s %s", t, reason)
}
func (a *asked) Resume(_ context.Context, t string) error { return a.note("resume %s", t) }

func (a *asked) RetryQuarantine(_ context.Context, t string, keys []string) (int, error) {
	return len(keys), a.note("retry %s %v", t, keys)
}

func (a *asked) DropQuarantine(_ context.Context, t string, keys []string) (int, error) {
	return len(keys), a.note("drop %s %v", t, keys)
}
func (a *asked) Reload(context.Context) error { return a.note("reload") }

// start runs a server for a, with a client.
func start(t *testing.T, a agent.Control) (*control.Client, string) {
	t.Helper()
	dir := shortDir(t)
	s, err := control.Listen(t.Context(), dir, a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c := control.NewClient(dir)
	t.Cleanup(func() {
		c.Close()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c, dir
}

// shortDir is a temporary directory whose path leaves room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestEveryOperationReachesTheAgent(t *testing.T) {
	a := &asked{}
	c, _ := start(t, a)
	ctx := t.Context()
	var got []any
	keep := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		got = append(got, v)
	}
	keep(c.Status(ctx))
	keep(c.Explain(ctx, "t"))
	keep(c.Journal(ctx, "t", 5))
	keep(c.Quarantine(ctx, "t"))
	keep(c.Sync(ctx, "t"))
	keep(c.Diff(ctx, "t", true))
	keep(c.Approve(ctx, "t"))
	keep(c.RetryQuarantine(ctx, "t", []string{`["x y"]`}))
	keep(c.DropQuarantine(ctx, "t", nil))
	keep(nil, c.Pause(ctx, "t", "<stocktaking>"))
	keep(nil, c.Resume(ctx, ""))
	keep(nil, c.Reload(ctx))

	direct := &asked{}
	var want []any
	keepDirect := func(v any, _ error) { want = append(want, v) }
	keepDirect(direct.Status(ctx))
	keepDirect(direct.Explain(ctx, "t"))
	keepDirect(direct.Journal(ctx, "t", 5))
	keepDirect(direct.Quarantine(ctx, "t"))
	keepDirect(direct.Sync(ctx, "t"))
	keepDirect(direct.Diff(ctx, "t", true))
	keepDirect(direct.Approve(ctx, "t"))
	keepDirect(direct.RetryQuarantine(ctx, "t", []string{`["x y"]`}))
	keepDirect(direct.DropQuarantine(ctx, "t", nil))
	keepDirect(nil, direct.Pause(ctx, "t", "<stocktaking>"))
	keepDirect(nil, direct.Resume(ctx, ""))
	keepDirect(nil, direct.Reload(ctx))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-direct +over the socket)\n%s", diff)
	}
	if diff := cmp.Diff(direct.calls, a.calls); diff != "" {
		t.Errorf("calls\n%s", diff)
	}
}

func TestErrorsKeepTheirKindAndHint(t *testing.T) {
	a := &asked{}
	c, _ := start(t, a)
	for _, kind := range []error{agent.ErrNoTable, agent.ErrAmbiguous, agent.ErrNoApproval, agent.ErrBusy, agent.ErrPaused} {
		a.err = fault.New("sync dbo.x", kind, "look again")
		_, err := c.Sync(t.Context(), "dbo.x")
		if !errors.Is(err, kind) || err.Error() != a.err.Error() || fault.Hint(err) != "look again" {
			t.Errorf("%v became %v, hint %q", a.err, err, fault.Hint(err))
		}
	}
	a.err = errors.New("disk is full")
	if err := c.Reload(t.Context()); err == nil || err.Error() != "disk is full" || errors.Is(err, agent.ErrNoTable) {
		t.Errorf("%v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	dir := shortDir(t)
	c := control.NewClient(dir)
	defer c.Close()
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNotRunning) || fault.Hint(err) == "" {
		t.Errorf("no socket: %v", err)
	}
	// A killed agent leaves its socket.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: control.SocketPath(dir), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("dead socket: %v", err)
	}
	s, err := control.Listen(t.Context(), dir, &asked{})
	if err != nil {
		t.Fatalf("the dead socket is in the way: %v", err)
	}
	if _, err := control.Listen(t.Context(), dir, &asked{}); err == nil || !strings.Contains(err.Error(), "another agent listens") {
		t.Errorf("second agent: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestListenWithoutAPlace(t *testing.T) {
	if _, err := control.Listen(t.Context(), filepath.Join(t.TempDir(), "none"), &asked{}); fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
	long := filepath.Join(shortDir(t), strings.Repeat("x", 120))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(t.Context(), long, &asked{}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("%v", err)
	}
}

func TestSocketIsForOwnerAndGroup(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are the directory's there, and not in the mode")
	}
	_, dir := start(t, &asked{})
	info, err := os.Stat(control.SocketPath(dir))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
}

// A stop does not wait for ever for what is in work, and the one who asked is
// told.
func TestStopWhileInWork(t *testing.T) {
	a := &asked{hold: make(chan struct{}), begun: make(chan struct{}, 1)}
	dir := shortDir(t)
	s, err := control.Listen(t.Context(), dir, a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c := control.NewClient(dir)
	defer c.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Sync(context.Background(), "t")
		answered <- err
	}()
	<-a.begun
	stop()
	if err := <-answered; err == nil {
		t.Error("answered although it was given up")
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(control.SocketPath(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// Who asks and goes away ends what was asked for.
func TestAskerGoesAway(t *testing.T) {
	a := &asked{hold: make(chan struct{}), begun: make(chan struct{}, 1)}
	c, _ := start(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-a.begun; cancel() }()
	if _, err := c.Sync(ctx, "t"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestMalformedRequests(t *testing.T) {
	a := &asked{}
	_, dir := start(t, a)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", control.SocketPath(dir))
	}}
	defer transport.CloseIdleConnections()
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/sync", `{`, 400},
		{"POST", "/v1/sync", `{"tabel":"x"}`, 400},
		{"POST", "/v1/sync", `{"table":"` + strings.Repeat("x", 2<<20) + `"}`, 400},
		{"GET", "/v1/status", ``, 405},
		{"POST", "/v1/nothing", `{}`, 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, "http://agent"+test.path, bytes.NewReader([]byte(test.body)))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != test.status {
			t.Errorf("%s %s: %s", test.method, test.path, answer.Status)
		}
	}
	if len(a.calls) != 0 {
		t.Errorf("reached the agent: %v", a.calls)
	}
}

// A flood is answered, not piled up.
func TestTooManyAtOnce(t *testing.T) {
	a := &asked{hold: make(chan struct{}), begun: make(chan struct{}, 100)}
	c, _ := start(t, a)
	errs := make(chan error, 40)
	for range cap(errs) {
		go func() {
			_, err := c.Sync(t.Context(), "t")
			errs <- err
		}()
	}
	for range 24 { // 16 are held
		if err := <-errs; !errors.Is(err, agent.ErrBusy) {
			t.Errorf("%v", err)
		}
	}
	close(a.hold)
	for range 16 {
		if err := <-errs; err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestProcess(t *testing.T) {
	c, _ := start(t, &asked{})
	p, err := c.Process(t.Context())
	if err != nil || p.PID != os.Getpid() || p.Goroutines < 2 || p.Heap == 0 || !strings.Contains(p.Stacks, "control.process(") {
		t.Errorf("%+v %v", p, err)
	}
}
