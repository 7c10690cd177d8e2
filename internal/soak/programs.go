//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const customer = "soak"

// programs are the shipped binaries, built for this run.
type programs struct{ agent, cloud string }

func buildPrograms(ctx context.Context, dir string) (programs, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "./cmd/tidemark", "./cmd/tidemark-cloud")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return programs{}, fmt.Errorf("build: %w\n%s", err, out)
	}
	return programs{agent: filepath.Join(dir, "tidemark"), cloud: filepath.Join(dir, "tidemark-cloud")}, nil
}

// addCustomer returns the customer's key.
func (p programs) addCustomer(ctx context.Context, store string) (string, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.cloud, "customers", "add", customer, "--store", store)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("add customer: %w\n%s", err, &said)
	}
	return strings.TrimSpace(string(out)), nil
}

// apiCommand serves the store. Its deadlines are those of a small machine:
// what hangs shall be noticed within the run.
func (p programs) apiCommand(listen, store string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		return command(ctx, p.cloud, "serve", "--store", store, "--listen", listen, "--log-level", "warn",
			"--scrub-every", "10m", "--connections", "10")
	}
}

// unreachable is how the API ends when Postgres is away at its start.
const unreachable = 4

func apiMayEnd(s *os.ProcessState) bool { return s.ExitCode() == unreachable }

func anyEnd(*os.ProcessState) bool { return true }

// An agentFile is what the agent's configuration says.
type agentFile struct {
	dir     string // of configuration, state and log
	url     string
	source  string // host:port
	metrics string // host:port
	tables  []table
}

// write writes it, and what it refers to, and returns its path.
func (f agentFile) write(key string) (string, error) {
	host, port, err := net.SplitHostPort(f.source)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(`customer: %s
cloud:
  url: %s
  key: ${file:cloud.key}
  proxy: none
  allow_http: true
state_dir: %s
log: {level: info, file: %s, max_size: 1MiB, keep: 2}
metrics: {listen: %q}
defaults: {interval: 1s, max_skips: 20, verify_every: 1m}
source:
  server: %s
  port: %s
  database: shop
  user: %s
  password: ${file:sql.password}
  encrypt: "true"
  trust_server_certificate: true
  tables:
`, customer, f.url, filepath.Join(f.dir, "state"), filepath.Join(f.dir, "log", "tidemark.log"), f.metrics, host, port, agentLogin)
	for _, t := range f.tables {
		text += "    - " + t.dataset() + "\n"
	}
	path := filepath.Join(f.dir, "tidemark.yaml")
	for name, content := range map[string]string{path: text, filepath.Join(f.dir, "cloud.key"): key, filepath.Join(f.dir, "sql.password"): agentSecret} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	return path, os.MkdirAll(filepath.Join(f.dir, "log"), 0o700)
}

// status is an error unless the agent says that all is well.
func (p programs) status(ctx context.Context, config string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, p.agent, "status", "--config", config).CombinedOutput(); err != nil {
		return fmt.Errorf("tidemark status: %w\n%s", err, out)
	}
	return nil
}

func freeAddress(ctx context.Context, host string) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", host+":0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
