package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// suite is the Debian that is installed on.
const suite = "bookworm"

// A machine is a Debian that runs in a container of its own, but for the
// network.
type machine struct {
	root   string
	nspawn *exec.Cmd
	ended  chan error
	leader string // process that is its first
	log    *os.File
}

// bootstrap makes a minimal Debian and keeps it for the next time.
func bootstrap(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/var/cache"
	}
	base := filepath.Join(cache, "tidemark-installtest", suite+"-rpm")
	if _, err := os.Stat(base); err == nil {
		return base, nil
	}
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return "", err
	}
	half := base + ".half"
	if err := os.RemoveAll(half); err != nil {
		return "", err
	}
	if err := mirrored(ctx); err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus,passwd,rpm", suite, half, mirror).CombinedOutput(); err != nil {
		return "", fmt.Errorf("debootstrap: %w\n%s", err, tail(out))
	}
	return base, os.Rename(half, base)
}

// boot boots a copy of base.
func boot(ctx context.Context, base, dir string) (m *machine, err error) {
	m = &machine{root: filepath.Join(dir, "machine"), ended: make(chan error, 1)}
	if out, err := exec.CommandContext(ctx, "cp", "--archive", "--reflink=auto", base, m.root).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy: %w\n%s", err, tail(out))
	}
	if m.log, err = os.Create(filepath.Join(dir, "console")); err != nil {
		return nil, err
	}
	// Not of ctx: it ends by halt, in order.
	m.nspawn = exec.CommandContext(context.WithoutCancel(ctx), "systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--console=pipe", "--directory="+m.root, "--boot")
	m.nspawn.Stdout, m.nspawn.Stderr = m.log, m.log
	if err := m.nspawn.Start(); err != nil {
		return nil, err
	}
	go func() { m.ended <- m.nspawn.Wait() }()
	err = until(ctx, 5*time.Minute, "the machine to boot", func(ctx context.Context) (bool, error) {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", m.nspawn.Process.Pid))
		if err != nil || len(strings.Fields(string(children))) == 0 {
			return false, err
		}
		m.leader = strings.Fields(string(children))[0]
		state, err := m.run(ctx, "", "systemctl", "is-system-running")
		state = strings.TrimSpace(state)
		return state == "running" || state == "degraded", err
	})
	if err != nil {
		console, _ := os.ReadFile(m.log.Name())
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, tail(console)), m.halt())
	}
	return m, nil
}

// halt switches the machine off.
func (m *machine) halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if m.leader != "" {
		_, _ = m.run(ctx, "", "systemctl", "--no-block", "poweroff")
	}
	defer func() { _ = m.log.Close() }()
	select {
	case err := <-m.ended:
		return err
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the machine did not switch off"), m.nspawn.Process.Kill(), <-m.ended)
	}
}

// run runs a command in the machine, and returns what it printed.
func (m *machine) run(ctx context.Context, in, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", m.leader, "--all", "--root", "--wd=/", "--",
		"/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", name}, args...)...)
	cmd.Stdin = strings.NewReader(in)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(out.Bytes()))
	}
	return out.String(), err
}

// path is where a file of the machine is from here.
func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

// put copies a file into the machine.
func (m *machine) put(source, name string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(m.path(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

// tail is the end of what a command printed.
func tail(out []byte) string {
	const most = 3000
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return string(out)
}
