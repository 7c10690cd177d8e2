// Package cputime tells the processor time of processes, for measurements.
package cputime

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// tick is the unit of /proc/PID/stat on every Linux of today (USER_HZ).
const tick = 10 * time.Millisecond

// A process is what Linux tells of one in /proc/PID/stat, proc(5).
type process struct {
	parent   int
	own      time.Duration
	children time.Duration // those that have ended and were waited for
}

func processOf(pid int) (process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The name in parentheses can hold anything.
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 15 {
		return process{}, fmt.Errorf("/proc/%d/stat is not as expected", pid)
	}
	n := func(i int) int { v, _ := strconv.Atoi(f[i]); return v } // numbers by proc(5)
	return process{
		parent:   n(1),
		own:      time.Duration(n(11)+n(12)) * tick,
		children: time.Duration(n(13)+n(14)) * tick,
	}, nil
}

// Of is the processor time of one running process; 0 where the system
// does not tell.
func Of(pid int) time.Duration {
	p, err := processOf(pid)
	if err != nil {
		return 0
	}
	return p.own
}

// OfServer is the processor time of a Postgres server with all its
// backends, those that have ended too.
func OfServer(ctx context.Context, conn *pgx.Conn) (time.Duration, error) {
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	b, err := processOf(backend)
	if err != nil {
		return 0, nil //nolint:nilerr // a system without /proc: not known
	}
	server, err := processOf(b.parent)
	if err != nil {
		return 0, err
	}
	total := server.own + server.children
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if p, err := processOf(pid); err == nil && p.parent == b.parent {
			total += p.own
		}
	}
	return total, nil
}
