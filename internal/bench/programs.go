package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tidemark/internal/bench/cputime"
)

// programs are the shipped binaries, built for this run.
type programs struct {
	agent, cloud string
}

func buildPrograms(ctx context.Context, dir string) (programs, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "./cmd/tidemark", "./cmd/tidemark-cloud")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return programs{}, fmt.Errorf("build: %w\n%s", err, out)
	}
	return programs{agent: filepath.Join(dir, "tidemark"), cloud: filepath.Join(dir, "tidemark-cloud")}, nil
}

// run is what one run of the agent took.
type run struct {
	uploaded    time.Duration // until it said that rows were uploaded; 0: it did not
	uploadedCPU time.Duration // used until then
	wall, cpu   time.Duration
	peak        int64 // bytes resident
}

// once runs one cycle of every table and fails unless all is well. A first
// load is followed by a comparison of both sides in the same cycle, so the
// moment when the upload is told counts, at which then is called if it is set.
func (p programs) once(ctx context.Context, config string, then func()) (r run, err error) {
	cmd := exec.CommandContext(ctx, p.agent, "once", "--config", config)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	for lines := bufio.NewScanner(io.TeeReader(out, &said)); lines.Scan(); {
		if r.uploaded == 0 && strings.Contains(lines.Text(), ": upload: ") {
			r.uploaded, r.uploadedCPU = time.Since(start), cputime.Of(cmd.Process.Pid)
			if then != nil {
				then()
			}
		}
	}
	err = cmd.Wait()
	r.wall = time.Since(start)
	if err != nil {
		return r, fmt.Errorf("agent: %w\n%s", err, &said)
	}
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = u.Maxrss * 1024 // KiB on Linux
	}
	return r, nil
}

// writeConfig writes the agent's file for these tables of the source. Secrets
// stay in the environment.
func writeConfig(dir string, a *api, dsn string, tables []string, interval time.Duration) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "customer: %s\ncloud:\n  url: %s\n  key: ${env:TIDEMARK_BENCH_KEY}\n", customer, a.url)
	fmt.Fprintf(&b, "state_dir: %s\nlog:\n  level: warn\n", filepath.Join(dir, "state"))
	fmt.Fprintf(&b, "defaults:\n  interval: %s\nsource:\n  dsn: ${env:TIDEMARK_BENCH_DSN}\n  tables:\n", interval)
	for _, t := range tables {
		fmt.Fprintf(&b, "    - %s\n", t)
	}
	if err := os.Setenv("TIDEMARK_BENCH_KEY", a.key); err != nil {
		return "", err
	}
	if err := os.Setenv("TIDEMARK_BENCH_DSN", dsn); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tidemark.yaml")
	return path, os.WriteFile(path, []byte(b.String()), 0o600)
}
