package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
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
	wall, cpu time.Duration
	peak      int64 // bytes resident
}

// once runs one cycle of every table and fails unless all is well.
func (p programs) once(ctx context.Context, config string) (run, error) {
	cmd := exec.CommandContext(ctx, p.agent, "once", "--config", config)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	r := run{wall: time.Since(start)}
	if err != nil {
		return r, fmt.Errorf("agent: %w\n%s", err, out)
	}
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = u.Maxrss * 1024 // KiB on Linux
	}
	return r, nil
}

// writeConfig writes the agent's file for these tables of the source. Secrets
// stay in the environment.
func writeConfig(dir string, a *api, dsn string, tables []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "customer: %s\ncloud:\n  url: %s\n  key: ${env:TIDEMARK_BENCH_KEY}\n", customer, a.url)
	fmt.Fprintf(&b, "state_dir: %s\nlog:\n  level: warn\n", filepath.Join(dir, "state"))
	fmt.Fprintf(&b, "defaults:\n  interval: 1s\nsource:\n  dsn: ${env:TIDEMARK_BENCH_DSN}\n  tables:\n")
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
