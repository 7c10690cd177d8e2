package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

// A Client asks the running agent of one state directory. It implements
// agent.Control. Its errors are ErrNotRunning, ErrRefused, those of package
// agent, or the agent's own words.
type Client struct {
	path string
	http *http.Client
}

var _ agent.Control = (*Client)(nil)

// NewClient returns a client for the agent of a state directory. It does not
// connect yet.
func NewClient(stateDir string) *Client {
	path := SocketPath(stateDir)
	dialer := net.Dialer{Timeout: connectTime}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		},
		DisableCompression: true,
	}}}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func call[Out any](ctx context.Context, c *Client, name string, in request) (Out, error) {
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return out, c.unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	d := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode != http.StatusOK {
		var f failure
		if err := d.Decode(&f); err != nil {
			return out, fault.New("ask the service", fmt.Errorf("answer %s", answer.Status), "is it the same version as this command?")
		}
		return out, f.error()
	}
	if err := d.Decode(&out); err != nil {
		return out, fault.New("read the service's answer", err, "")
	}
	return out, nil
}

// unreachable says why nobody answered.
func (c *Client) unreachable(err error) error {
	const op = "ask the service"
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), refusedByWindows(err):
		return fault.New(op, fmt.Errorf("%w (nobody listens on %s)", ErrNotRunning, c.path), "start it with `tidemark service start`, or run one cycle with `tidemark once`")
	case errors.Is(err, os.ErrPermission):
		return fault.New(op, fmt.Errorf("%w: %w", ErrRefused, err), "run this as an administrator (sudo), or as the account or group of the service")
	}
	return fault.New(op, err, "")
}

// error makes the error of an answer the one that the agent had.
func (f failure) error() error {
	for _, k := range kinds {
		if k.name == f.Kind {
			return &remoteError{message: f.Message, hint: f.Hint, kind: k.err}
		}
	}
	return &remoteError{message: f.Message, hint: f.Hint, kind: errFailed}
}

var errFailed = errors.New("the operation failed")

// remoteError has the agent's words, and is the error that the agent meant.
type remoteError struct {
	message, hint string
	kind          error
}

func (e *remoteError) Error() string { return e.message }

// Unwrap gives the hint to fault.Hint and the kind to errors.Is.
func (e *remoteError) Unwrap() error {
	if e.hint == "" {
		return e.kind
	}
	return fault.New("agent", e.kind, e.hint)
}

// Status implements agent.Viewer.
func (c *Client) Status(ctx context.Context) (agent.Status, error) {
	return call[agent.Status](ctx, c, "status", request{})
}

// Explain implements agent.Viewer.
func (c *Client) Explain(ctx context.Context, table string) (agent.Explanation, error) {
	return call[agent.Explanation](ctx, c, "explain", request{Table: table})
}

// Journal implements agent.Viewer.
func (c *Client) Journal(ctx context.Context, table string, n int) ([]journal.Entry, error) {
	return call[[]journal.Entry](ctx, c, "journal", request{Table: table, N: n})
}

// Quarantine implements agent.Viewer.
func (c *Client) Quarantine(ctx context.Context, table string) ([]agent.QuarantinedRow, error) {
	return call[[]agent.QuarantinedRow](ctx, c, "quarantine", request{Table: table})
}

// Sync implements agent.Control.
func (c *Client) Sync(ctx context.Context, table string) (agent.SyncReport, error) {
	return call[agent.SyncReport](ctx, c, "sync", request{Table: table})
}

// Diff implements agent.Control.
func (c *Client) Diff(ctx context.Context, table string, dryRun bool) (agent.DiffReport, error) {
	return call[agent.DiffReport](ctx, c, "diff", request{Table: table, DryRun: dryRun})
}

// Approve implements agent.Control.
func (c *Client) Approve(ctx context.Context, table string) (agent.Approval, error) {
	return call[agent.Approval](ctx, c, "approve", request{Table: table})
}

// Pause implements agent.Control.
func (c *Client) Pause(ctx context.Context, table, reason string) error {
	_, err := call[nothing](ctx, c, "pause", request{Table: table, Reason: reason})
	return err
}

// Resume implements agent.Control.
func (c *Client) Resume(ctx context.Context, table string) error {
	_, err := call[nothing](ctx, c, "resume", request{Table: table})
	return err
}

// RetryQuarantine implements agent.Control.
func (c *Client) RetryQuarantine(ctx context.Context, table string, keys []string) (int, error) {
	return call[int](ctx, c, "retry", request{Table: table, Keys: keys})
}

// DropQuarantine implements agent.Control.
func (c *Client) DropQuarantine(ctx context.Context, table string, keys []string) (int, error) {
	return call[int](ctx, c, "drop", request{Table: table, Keys: keys})
}

// Reload implements agent.Control.
func (c *Client) Reload(ctx context.Context) error {
	_, err := call[nothing](ctx, c, "reload", request{})
	return err
}
