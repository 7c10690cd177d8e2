//go:build !windows

package control

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Group is the group whose members may use the commands, where it exists. The
// packages make it.
const Group = "tidemark"

func socketDir(stateDir string) string { return stateDir }

func prepareDir(dir string) error {
	_, err := os.Stat(dir)
	return err
}

// protect leaves the socket to its owner and its group.
func protect(path string) error {
	return errors.Join(giveTo(path, Group), os.Chmod(path, 0o660))
}

// giveTo makes a group the socket's. Where there is no such group, or an account
// that is not in it may not do that, the socket stays with the account's own.
func giveTo(path, group string) error {
	g, err := user.LookupGroup(group)
	if err != nil {
		return nil //nolint:nilerr // there is no such group
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return err
	}
	if err := os.Chown(path, -1, gid); err != nil && !errors.Is(err, syscall.EPERM) {
		return err
	}
	return nil
}

func refusedByWindows(error) bool { return false }

func noSockets(error) bool { return false }
