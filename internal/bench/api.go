package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// customer is the only one.
const customer = "bench"

// api is a running API server.
type api struct {
	url, key string
	cmd      *exec.Cmd
}

func startAPI(ctx context.Context, p programs, store string) (*api, error) {
	add := exec.CommandContext(ctx, p.cloud, "customers", "add", customer, "--store", store)
	var said bytes.Buffer
	add.Stderr = &said
	key, err := add.Output()
	if err != nil {
		return nil, fmt.Errorf("add customer: %w\n%s", err, &said)
	}
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	a := &api{url: "http://" + addr, key: lastField(string(key))}
	a.cmd = exec.CommandContext(ctx, p.cloud, "serve", "--store", store, "--listen", addr, "--log-level", "error")
	a.cmd.Stderr = os.Stderr
	a.cmd.Cancel = func() error { return a.cmd.Process.Signal(os.Interrupt) }
	a.cmd.WaitDelay = 10 * time.Second
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	if err := a.ready(ctx); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

func (a *api) ready(ctx context.Context) error {
	for range 100 {
		if a.get(ctx, "/readyz") == nil {
			return nil
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errors.New("the API does not become ready")
}

// get asks for a page and drops it.
func (a *api) get(ctx context.Context, path string) error {
	return a.fetch(ctx, path, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
}

func (a *api) fetch(ctx context.Context, path string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return read(resp.Body)
}

// requests is how many requests the API has answered that need a key, by its
// own count.
func (a *api) requests(ctx context.Context) (total int, err error) {
	err = a.fetch(ctx, "/metrics", func(r io.Reader) error {
		sc := bufio.NewScanner(r)
		for sc.Scan() {
			name, value, _ := strings.Cut(sc.Text(), "} ")
			if !strings.HasPrefix(name, "tidemark_requests_total{") || !strings.Contains(name, `path="/v1/`) {
				continue
			}
			n, err := strconv.Atoi(value)
			if err != nil {
				return err
			}
			total += n
		}
		return sc.Err()
	})
	return total, err
}

// stop ends the API and waits for it.
func (a *api) stop() error {
	if err := a.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := a.cmd.Wait(); err != nil {
		return fmt.Errorf("API: %w", err)
	}
	return nil
}

// lastField is the last word of what a command printed: the key.
func lastField(s string) string {
	f := strings.Fields(s)
	if len(f) == 0 {
		return ""
	}
	return f[len(f)-1]
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
