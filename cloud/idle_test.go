//go:build unix

package cloud_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"tidemark/cloud"
)

// Thousands of connections on which nothing happens cost memory in their
// measure, and keep nobody out. Both ends are in this process, so that half of
// the files that it may open are how many there are.
func TestIdleConnections(t *testing.T) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	n := 10_000
	if most := int(min(files.Cur, 1<<20)) / 2 * 9 / 10; most < n { // Go raises the limit at start as far as it may
		n = most
	}
	t.Logf("%d connections", n)
	s := newSite(t, cloud.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	s.serve(t, l)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	buf := bufio.NewReaderSize(nil, 512)
	for i := range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, c)
		if i%2 == 0 { // the others say nothing at all
			continue
		}
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		buf.Reset(c)
		a, err := http.ReadResponse(buf, nil)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("connection %d: %v, %v", i, a, err)
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)
	t.Logf("%d KiB for both ends of each", held/int64(n)>>10)
	if held/int64(n) > 64<<10 {
		t.Errorf("%d KiB for each connection", held/int64(n)>>10)
	}
	among, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	got := talk(t, among, "GET "+versionsPath+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.key+"\r\nConnection: close\r\n\r\n"+strings.Repeat("\r\n", 2))
	if len(got) != 1 || got[0] != http.StatusOK {
		t.Errorf("among them: %v", got)
	}
}
