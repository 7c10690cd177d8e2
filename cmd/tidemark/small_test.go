package main

import (
	"os"
	"os/exec"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// canMount tells whether this process may mount: it is root, and not in a
// container that forbids it.
var canMount = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "tidemark-mount-")
	if err != nil {
		return false
	}
	defer func() { _ = os.Remove(dir) }()
	if exec.Command("mount", "-t", "tmpfs", "tidemark", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
})

// small makes a directory on a small disk of its own.
func small(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: small DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tidemark", dir).Run())
	ts.Defer(func() { _ = exec.Command("umount", "--lazy", dir).Run() })
}
