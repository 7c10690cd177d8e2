//go:build unix

package pgtest

import (
	"context"
	"os"
	"os/exec"
)

// A watcher is a shell that waits for the end of its input, which comes when
// end is called or the process is gone, and then stops the server and removes
// its directory.
type watcher struct {
	cmd   *exec.Cmd
	input *os.File
}

const watch = `read -r _
if [ -f "$2/data/postmaster.pid" ]; then "$1/pg_ctl" stop --pgdata "$2/data" --mode immediate --silent --wait --timeout ` + waits + `; fi
rm -rf "$2"`

func (p programs) startWatcher(ctx context.Context, dir string) (*watcher, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	// It outlives ctx, which bounds the launch alone.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", watch, "sh", p.dir, dir)
	cmd.Dir = "/"
	cmd.Stdin = theirs
	cmd.SysProcAttr = p.attr()
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, err
	}
	return &watcher{cmd: cmd, input: ours}, nil
}

func (w *watcher) end() error {
	if err := w.input.Close(); err != nil {
		return err
	}
	return w.cmd.Wait()
}
