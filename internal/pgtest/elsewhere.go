//go:build !unix

package pgtest

import "testing"

// Start skips the test: a server is only started on Unix systems.
func Start(t testing.TB) string {
	t.Helper()
	t.Skip("a private Postgres is only started on Unix systems")
	return ""
}

// Stop has nothing to stop.
func Stop() error { return nil }
