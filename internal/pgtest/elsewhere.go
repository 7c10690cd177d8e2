//go:build !unix

package pgtest

import (
	"context"
	"errors"
	"testing"
)

// Start skips the test: a server is only started on Unix systems.
func Start(t testing.TB) string {
	t.Helper()
	t.Skip("a private Postgres is only started on Unix systems")
	return ""
}

// Standby has nothing to follow.
func Standby(t testing.TB, _ string) string { return Start(t) }

// Replica has nothing to connect to.
func Replica(t testing.TB, _ string) (leave func()) {
	Start(t)
	return func() {}
}

// Run has nothing to run.
func Run(context.Context, string, ...string) error { return errors.ErrUnsupported }

// Stop has nothing to stop.
func Stop() error { return nil }
