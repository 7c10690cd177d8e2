//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Standby starts a hot standby of the server that a connection string of Start
// leads to. It returns the same string for the standby, which ends with the
// test.
func Standby(t testing.TB, dsn string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	primary, err := sharedServer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := launch(ctx, func(s *Server, ctx context.Context) error { return s.follow(ctx, primary) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return strings.Replace(dsn, fmt.Sprintf(":%d/", primary.port), fmt.Sprintf(":%d/", s.port), 1)
}

// follow makes the server a standby of another.
func (s *Server) follow(ctx context.Context, primary *Server) error {
	if err := s.bin.own(s.dir); err != nil {
		return err
	}
	var err error
	if s.watch, err = s.bin.startWatcher(ctx, s.dir); err != nil {
		return err
	}
	copies, err := clientProgram("pg_basebackup")
	if err != nil {
		return err
	}
	port := strconv.Itoa(primary.port)
	if err := s.bin.run(ctx, s.dir, copies, "--pgdata", s.path("data"), "--host", "127.0.0.1", "--port", port, "--username", superuser,
		"--checkpoint", "fast", "--write-recovery-conf", "--no-sync"); err != nil {
		return err
	}
	return s.run(ctx, settings+fmt.Sprintf("primary_conninfo = 'host=127.0.0.1 port=%s user=%s sslmode=disable'\n", port, superuser))
}
