//go:build unix

package pgtest

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Halt stops the server that Launch started and leaves its directory.
func (s *Server) Halt(ctx context.Context) error {
	return s.bin.run(ctx, s.dir, "pg_ctl", "stop", "--pgdata", s.path("data"), "--mode", "fast", "--wait", "--timeout", waits, "--silent")
}

// Command runs a halted server in the foreground, for who stops and kills it:
// SIGINT is a fast stop, SIGQUIT an immediate one. Close ends this one too.
func (s *Server) Command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin.dir, "postgres"), "-D", s.path("data"))
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.bin.attr()
	return cmd
}

// Dir is the server's directory: below it are data, log and socket.
func (s *Server) Dir() string { return s.dir }

// Addr is host:port of the server.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }
