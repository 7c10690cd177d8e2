//go:build !unix

package pgtest

// Stop has nothing to stop where no server can be started.
func Stop() error { return nil }
