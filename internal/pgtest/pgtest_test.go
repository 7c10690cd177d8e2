//go:build unix

package pgtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("PGTEST_PANIC") != "" {
		panicWithServer()
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := Stop(); err != nil {
			println(err.Error())
			code = 1
		}
		os.Exit(code)
	}))
}

// panicWithServer tells where its server is and dies.
func panicWithServer() {
	s, err := Launch(context.Background())
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(s.dir + "\n")
	panic("on purpose")
}

func TestStartGivesEachTestADatabaseOfItsOwn(t *testing.T) {
	a, b := Start(t), Start(t)
	if a == b {
		t.Fatalf("both are %s", a)
	}
	for _, dsn := range []string{a, b} {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "CREATE TABLE t (x int)"); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	s, err := Launch(t.Context())
	if errors.Is(err, ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", s.dir, err)
	}
	if conn, err := pgx.Connect(t.Context(), s.DSN("postgres")); err == nil {
		conn.Close(t.Context())
		t.Error("the server still answers")
	}
}

func TestPanicLeavesNothing(t *testing.T) {
	if _, err := findPrograms(); errors.Is(err, ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "PGTEST_PANIC=1")
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err == nil || dir == "" {
		t.Fatalf("the process ended with %v and said %q", err, out)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
	}
}
