//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience bounds each wait for a condition. It is long because machines are
// slow, and because an outage of a minute is answered by waits of minutes.
const patience = 15 * time.Minute

// errHopeless says that waiting is of no use.
var errHopeless = errors.New("a program ended by itself")

// until waits until holds returns nil, or errHopeless.
func until(ctx context.Context, what string, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := holds(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, errHopeless) || !pause(ctx, time.Second) {
			return fmt.Errorf("waited in vain until %s: %w", what, errors.Join(err, context.Cause(ctx)))
		}
	}
}

// read is a file of /proc; "" where the process has ended.
func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

// resident is a process' memory in bytes; 0 where it has ended.
func resident(pid int) int64 {
	for line := range strings.Lines(read(fmt.Sprintf("/proc/%d/status", pid))) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// descriptors are the files and sockets that a process has open.
func descriptors(pid int) int {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0
	}
	return len(open)
}

// sizeBelow is how many bytes the files below a folder have.
func sizeBelow(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil // what goes away meanwhile is not counted
	})
	return total
}

// metric reads the value of a metric without labels.
func metric(text, name string) (int, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return int(v), err
		}
	}
	return 0, fmt.Errorf("no %s in the metrics", name)
}
