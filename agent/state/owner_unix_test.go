//go:build !windows

package state_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"tidemark/agent/state"
)

// What root makes in the service's directory is the service's.
func TestRootMakesTheServicesFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	info, err := os.Stat(filepath.Join(dir, state.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 4711 || owner.Gid != 4712 {
		t.Errorf("owned by %d:%d", owner.Uid, owner.Gid)
	}
}
