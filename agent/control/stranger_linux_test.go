package control_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tidemark/agent/control"
)

// nobody is an account that owns nothing and is in no group of the service's.
const nobody = 65534

// Another user of the machine is kept out by the file system and, where somebody
// has opened that, by the service, which asks the system who is there.
func TestStrangersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	a := &asked{}
	_, dir := start(t, a)
	path := control.SocketPath(dir)
	if _, err := as(nobody, path); !errors.Is(err, os.ErrPermission) {
		t.Errorf("by the file system: %v", err)
	}
	if err := errors.Join(os.Chmod(dir, 0o777), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[int]int{nobody: http.StatusForbidden, 0: http.StatusOK} {
		conn, err := as(uid, path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprint(conn, "POST /v1/status HTTP/1.1\r\nHost: tidemark\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want || want != http.StatusOK && !strings.Contains(string(body), "uid 65534") {
			t.Errorf("user %d: %d %s, %v", uid, answer.StatusCode, body, err)
		}
		_ = conn.Close()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) != 1 {
		t.Errorf("asked %q", a.calls)
	}
}

// as connects as another user: a thread of its own becomes that one, and ends.
func as(uid int, path string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		// Of the thread alone, where the functions of package syscall change all.
		if _, _, e := syscall.RawSyscall(unix.SYS_SETRESGID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			err = e
			return
		}
		if _, _, e := syscall.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); e != 0 {
			err = e
			return
		}
		if _, _, e := syscall.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
			err = e
			return
		}
		fd, e := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if e != nil {
			err = e
			return
		}
		f := os.NewFile(uintptr(fd), path)
		defer func() { _ = f.Close() }()
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err == nil {
			conn, err = net.FileConn(f)
		}
	}()
	<-done
	return conn, err
}
