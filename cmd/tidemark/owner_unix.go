//go:build !windows

package main

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// ownerOf names the account that a file belongs to.
func ownerOf(path string) (string, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	id := strconv.FormatUint(uint64(s.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username, true
	}
	return id, true
}
