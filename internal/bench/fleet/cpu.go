package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// processorTimes are those of this process, and of a Postgres server with all
// its sessions, those that have ended too; 0 where the system does not tell.
func processorTimes(ctx context.Context, conn *pgx.Conn) (own, server time.Duration, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0, err
	}
	own = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, 0, err
	}
	postmaster, _, _, ok := ofProcess(backend)
	if !ok {
		return own, 0, nil
	}
	_, used, ended, _ := ofProcess(postmaster)
	server = used + ended
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, 0, err
	}
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir)) // digits
		if parent, used, _, ok := ofProcess(pid); ok && parent == postmaster {
			server += used
		}
	}
	return own, server, nil
}

// ofProcess is what Linux tells of one in /proc/PID/stat, proc(5), in ticks of
// 10 ms (USER_HZ): its parent, its own time, and that of children that ended.
func ofProcess(pid int) (parent int, own, children time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, false
	}
	// The name in parentheses can hold anything.
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 15 {
		return 0, 0, 0, false
	}
	n := func(i int) time.Duration { v, _ := strconv.Atoi(f[i]); return time.Duration(v) } // numbers by proc(5)
	const tick = 10 * time.Millisecond
	return int(n(1)), (n(11) + n(12)) * tick, (n(13) + n(14)) * tick, true
}
