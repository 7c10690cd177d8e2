package control

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"tidemark/agent"
)

// Bounds of the channel.
const (
	maxRequest  = 1 << 20  // bytes
	maxAnswer   = 64 << 20 // bytes
	maxAtOnce   = 16       // requests in work
	headerTime  = 5 * time.Second
	transfer    = 10 * time.Second // of a request or an answer
	longest     = time.Hour        // for one operation
	shutdown    = 5 * time.Second  // for operations in work when the agent stops
	connectTime = 5 * time.Second
)

// request is what every operation takes; each reads what it needs.
type request struct {
	Table  string   `json:"table,omitempty"`
	N      int      `json:"n,omitempty"`
	DryRun bool     `json:"dry_run,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Keys   []string `json:"keys,omitempty"`
}

// nothing is the answer of operations that have none.
type nothing struct{}

// failure is the answer of an operation that failed.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// ErrRefused is the error of a request by someone who may not control the
// agent.
var ErrRefused = errors.New("this user may not control the agent")

// ErrNoSockets is the error of Listen where the system lacks what commands
// reach the agent by.
var ErrNoSockets = errors.New("this system has no Unix domain sockets")

// ErrNotRunning is the error of a request when no agent listens.
var ErrNotRunning = errors.New("the service is not running")

// kinds are the errors that the other end is to recognize.
var kinds = []struct {
	name   string
	err    error
	status int
}{
	{"no-table", agent.ErrNoTable, http.StatusNotFound},
	{"ambiguous", agent.ErrAmbiguous, http.StatusBadRequest},
	{"no-approval", agent.ErrNoApproval, http.StatusConflict},
	{"busy", agent.ErrBusy, http.StatusConflict},
	{"paused", agent.ErrPaused, http.StatusConflict},
	{"refused", ErrRefused, http.StatusForbidden},
	{"canceled", context.Canceled, http.StatusServiceUnavailable},
	{"deadline", context.DeadlineExceeded, http.StatusServiceUnavailable},
}

// SocketPath returns where the agent of a state directory listens.
func SocketPath(stateDir string) string { return filepath.Join(socketDir(stateDir), "control.sock") }
