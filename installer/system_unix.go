//go:build !windows

package installer

import (
	"cmp"
	"os"
	"syscall"
)

func newSystem(o Options, program string) system {
	return &systemd{options: o, user: account(o), program: program, run: runCommand, group: userIDs}
}

func account(o Options) string { return cmp.Or(o.User, defaultUser) }

// owners returns who owns a file.
func owners(info os.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}
