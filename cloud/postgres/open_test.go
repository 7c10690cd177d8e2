package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/fault"
	"tidemark/internal/pgtest"
)

func TestOpenChecksTheServer(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	dsn := conn.Config().ConnString()
	fails := func(what, dsn, says string) {
		t.Helper()
		bad, err := postgres.Open(t.Context(), dsn, postgres.Options{})
		if err == nil {
			bad.Close()
			t.Errorf("%s: it opened", what)
			return
		}
		if !strings.Contains(err.Error(), says) || fault.Hint(err) == "" {
			t.Errorf("%s: %v (%s)", what, err, fault.Hint(err))
		}
	}
	fails("no URL", "postgres://%zz", "open the Postgres store")

	exec(t, conn, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
	t.Cleanup(func() { _, _ = conn.Exec(t.Context(), "DROP DATABASE latin") })
	fails("Latin 1", strings.Replace(dsn, "/"+conn.Config().Database, "/latin", 1), "LATIN1")
	exec(t, conn, "DROP DATABASE latin")

	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" CONNECTION LIMIT 19")
	fails("few connections", dsn, "20 connections are wanted and it allows this user 19")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" CONNECTION LIMIT 0")
	fails("no connections", dsn, "it allows this user 0 connections")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" CONNECTION LIMIT -1")

	exec(t, conn, "INSERT INTO tidemark.migrations (number, name) VALUES (1000, 'of the future'), (999, 'too')")
	fails("newer", dsn, "the database is at 1000")
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// A pooler that leaves out what a session asks for is no way to the server.
func TestOpenThroughPooler(t *testing.T) {
	_, conn := open(t, postgres.Options{})
	port := fmt.Sprintf(":%d", conn.Config().Port)
	tap := newTap(t, "127.0.0.1"+port)
	tap.startup = func(message []byte) []byte { // another parameter that is as long
		return bytes.Replace(message, []byte("search_path"), []byte("left.out_by"), 1)
	}
	s, err := postgres.Open(t.Context(), strings.Replace(conn.Config().ConnString(), port, ":"+tap.port(), 1), postgres.Options{})
	if err == nil {
		s.Close()
		t.Fatal("it opened")
	}
	if !strings.Contains(err.Error(), "its settings did not reach the server") || !strings.Contains(fault.Hint(err), "pooler") || errors.Is(err, cloud.ErrUnavailable) {
		t.Errorf("%v (%s)", err, fault.Hint(err))
	}
}

// A server that takes connections and says nothing is one that is away.
func TestOpenSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer l.Close()
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			<-ctx.Done()
			conn.Close()
		}
	})
	s, err := postgres.Open(ctx, "postgres://x@"+l.Addr().String()+"/x?sslmode=disable", postgres.Options{})
	if err == nil {
		s.Close()
		t.Fatal("it opened")
	}
	if !errors.Is(err, cloud.ErrUnavailable) || fault.Hint(err) == "" {
		t.Errorf("%v (%s)", err, fault.Hint(err))
	}
}

// Several processes may start at once on an empty database.
func TestOpenAtOnce(t *testing.T) {
	dsn := pgtest.Start(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	wg.Wait()
}

// The store needs no superuser: only the right to create in its database.
func TestOpenWithoutSuperuser(t *testing.T) {
	dsn := pgtest.Start(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec(t, conn, "CREATE ROLE plain LOGIN")
	exec(t, conn, "GRANT CREATE, TEMPORARY ON DATABASE "+conn.Config().Database+" TO plain")
	s, err := postgres.Open(t.Context(), strings.Replace(dsn, "tidemark@", "plain@", 1), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	newSite(t, s, "acme", "dbo.orders", narrow).load(narrowRows(1, 100, 1), 50)
	s.Close()
	s, err = postgres.Open(t.Context(), strings.Replace(dsn, "tidemark@", "plain@", 1), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	exec(t, conn, "DROP OWNED BY plain")
	exec(t, conn, "DROP ROLE plain")
}
