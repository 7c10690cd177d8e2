//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Run runs one of Postgres' client programs, such as pg_dump, of the version
// that the server has.
func Run(ctx context.Context, name string, args ...string) error {
	path, err := clientProgram(name)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// clientProgram is beside the server's, or wherever the system has it.
func clientProgram(name string) (string, error) {
	dir, err := programsDir()
	if err != nil {
		return "", err
	}
	if initdb, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil {
		dir = filepath.Dir(initdb)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return exec.LookPath(name)
}
