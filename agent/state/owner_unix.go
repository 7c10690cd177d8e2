//go:build !windows

package state

import (
	"os"
	"syscall"
)

// ownLike gives a file to the owner of its directory where root acts: a person
// may run a cycle before the service does, which then has to write the file.
func ownLike(path, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
