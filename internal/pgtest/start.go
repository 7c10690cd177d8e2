//go:build unix

package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

// patience bounds everything that a test waits for here.
const patience = 10 * time.Minute

var (
	shared sync.Mutex
	server *Server
)

// Start returns the connection string of a fresh, empty database whose owner
// is a superuser. The first call of a process starts the server; the database
// is dropped, connections and all, when the test ends. Without Postgres'
// programs the test is skipped, or fails where the environment has CI set.
func Start(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := sharedServer(ctx)
	if errors.Is(err, ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name, err := s.CreateDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.DropDatabase(ctx, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.DSN(name)
}

func sharedServer(ctx context.Context) (*Server, error) {
	shared.Lock()
	defer shared.Unlock()
	if server != nil {
		return server, nil
	}
	s, err := Launch(ctx)
	if err != nil {
		return nil, err
	}
	server = s
	return s, nil
}

// Stop stops the process's server, if one was started, and waits for it. A
// TestMain calls it behind m.Run to leave nothing even for a moment; without
// it the server ends just after the process.
func Stop() error {
	shared.Lock()
	defer shared.Unlock()
	if server == nil {
		return nil
	}
	s := server
	server = nil
	return s.Close()
}
