package main

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// A service manager is told when requests can come, and when no more should.
func TestServeTellsItsManager(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("TIDEMARK_STORE", "sqlite:"+filepath.Join(dir, "cloud.db"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		c := newServe(&app{out: io.Discard, err: io.Discard})
		c.SetArgs([]string{"--listen", "127.0.0.1:0"})
		ended <- c.ExecuteContext(ctx)
	}()
	told := func() string {
		if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := told(); got != "READY=1" {
		t.Errorf("told %q", got)
	}
	cancel()
	if got := told(); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
