package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"

	"tidemark/cloud/traffic/accesslog"
)

// parseSpeed parses the whole log, decompressed before, on one core.
func parseSpeed(path string, size int64) (bytesPerSecond float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return 0, err
	}
	log := make([]byte, 0, size)
	w := bytes.NewBuffer(log)
	if _, err := io.Copy(w, z); err != nil {
		return 0, err
	}
	var p accesslog.Parser
	begun := time.Now()
	for rest := w.Bytes(); len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if _, err := p.Parse(rest[:end]); err != nil {
			return 0, err
		}
		rest = rest[end+1:]
	}
	return float64(size) / time.Since(begun).Seconds(), nil
}

func runJQ(ctx context.Context, log string) (time.Duration, error) {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, "sh", "-c", `zcat "$1" | jq -R . >/dev/null`, "sh", log).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("jq: %w\n%s", err, out)
	}
	return time.Since(begun), nil
}

// runShip ships the log with the program to an endpoint that counts its lines.
func runShip(ctx context.Context, program, dir, log string, lines int, zipped bool) (took time.Duration, peak int64, err error) {
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := countLines(r)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		got.Add(n)
	}))
	defer server.Close()
	checkpoint := filepath.Join(dir, "checkpoint")
	if err := os.Remove(checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, program, "ship", "--to", server.URL, "--checkpoint", checkpoint, "--aside", filepath.Join(dir, "aside"), fmt.Sprintf("--gzip=%t", zipped), log)
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(begun)
	if err != nil {
		return 0, 0, fmt.Errorf("ship: %w\n%s", err, out)
	}
	if got.Load() != int64(lines) {
		return 0, 0, fmt.Errorf("%d of %d lines came\n%s", got.Load(), lines, out)
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = u.Maxrss * 1024 // KiB on Linux
	}
	return took, peak, nil
}

func countLines(r *http.Request) (n int64, err error) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(r.Body); err != nil {
			return 0, err
		}
	}
	b := bufio.NewReaderSize(in, 256<<10)
	for {
		part, err := b.ReadSlice('\n')
		switch {
		case err == io.EOF && len(part) == 0:
			return n, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return n, err
		}
		n++
	}
}
