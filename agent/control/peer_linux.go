package control

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"tidemark/internal/fault"
)

// peerMayControl returns the check of who is at the other end (unix(7),
// SO_PEERCRED): root, the account of this process, and members of the group
// that the socket belongs to.
func peerMayControl(path string) func(*net.UnixConn) error {
	group := os.Getegid()
	if info, err := os.Stat(path); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			group = int(s.Gid)
		}
	}
	return func(conn *net.UnixConn) error {
		raw, err := conn.SyscallConn()
		if err != nil {
			return err
		}
		var peer *unix.Ucred
		var asked error
		if err := raw.Control(func(fd uintptr) {
			peer, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		}); err != nil {
			return err
		}
		if asked != nil {
			return asked
		}
		if mayControl(peer.Uid, peer.Gid, os.Geteuid(), group, groupsOf) {
			return nil
		}
		return fault.New("control the agent", fmt.Errorf("%w (uid %d)", ErrRefused, peer.Uid),
			"run this as an administrator (sudo), or as the account or group of the service")
	}
}

// mayControl decides. Where everyone's group is root's (0), being in it is
// not enough.
func mayControl(uid, gid uint32, self, group int, groups func(uid uint32) []string) bool {
	if uid == 0 || int(uid) == self {
		return true
	}
	if group == 0 {
		return false
	}
	return int(gid) == group || slices.Contains(groups(uid), strconv.Itoa(group))
}

func groupsOf(uid uint32) []string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil
	}
	return ids
}
