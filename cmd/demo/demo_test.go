package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The demo ends by proving both sides equal, and leaves nothing behind.
func TestDemo(t *testing.T) {
	out, code := play(t, hooks{}, "--for", "3s", "--plain", "--seed", "1")
	if code != exitEqual {
		t.Errorf("it ended with %d", code)
	}
	for _, want := range []string{
		`(?m)^  source  SQL Server stand-in at 127\.0\.0\.1:\d+, database shop$`,
		`(?m)^ +\d+\.\ds  agent   orders upload, 2,000 new: first load: the cloud has nothing$`,
		`(?m)^ +\d+\.\ds  writer  (inserted|updated|deleted) `,
		`(?m)^  orders +\d,\d+  yes `,
		`(?m)^  customers +\d+  yes `,
		`(?m)^  stock +\d+  yes `,
		`(?m)^  settings +40  yes `,
		`(?m)^  all requests: .*\d+ rows`,
		`\nequal: 2,\d+ rows in 4 tables\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line like %s", want)
		}
	}
	dir := regexp.MustCompile(`files   (\S+), removed at the end`).FindStringSubmatch(out)
	if dir == nil {
		t.Fatal("where the files are is not told")
	}
	if _, err := os.Stat(dir[1]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir[1], err)
	}
}

// Whatever differs in the cloud is found, with its key.
func TestProofFails(t *testing.T) {
	plant := hooks{stopped: func(ctx context.Context, s *site) error {
		for _, batch := range []string{
			"INSERT INTO dbo.orders (id, customer, status, total, placed) VALUES (900001, 'x', 'new', 12.50, '2026-01-01')",
			"UPDATE dbo.settings SET value = N'another' WHERE name = 'app.setting.39'",
		} {
			if _, err := s.shop.ExecContext(ctx, batch); err != nil {
				return err
			}
		}
		db, err := sql.Open("sqlite", filepath.Join(s.dir, "cloud.db"))
		if err != nil {
			return err
		}
		defer db.Close()
		for _, statement := range []string{
			"DELETE FROM data_customers WHERE code = (SELECT min(code) FROM data_customers)",
			"UPDATE data_stock SET product = 999 WHERE warehouse = 'EST' AND product = (SELECT max(product) FROM data_stock WHERE warehouse = 'EST')",
		} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}}
	out, code := play(t, plant, "--for", "2s", "--plain", "--seed", "1")
	if code != exitWrong {
		t.Errorf("it ended with %d", code)
	}
	for _, want := range []string{
		`(?m)^  orders +\d,\d+  NO `,
		`(?m)^different: 1 row in orders \(\d,\d+ rows here, \d+ in the cloud\)$`,
		`(?m)^  orders \[900001\]: not in the cloud$`,
		`(?m)^  customers \["\w+-\d+"\]: not in the cloud$`,
		`(?m)^different: 2 rows in stock `,
		`(?m)^  stock \["EST", 999\]: in the cloud only$`,
		`(?m)^  stock \["EST", 1\d+\]: not in the cloud$`,
		`(?m)^  settings \["app.setting.39"\]: value is "another" here, "\d+" in the cloud$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line like %s", want)
		}
	}
	if strings.Contains(out, "equal: ") {
		t.Error("it says that both sides are equal")
	}
}

// Ctrl-C is the end of a demo without --for, and no failure. What is kept is
// not written into a folder that has something in it.
func TestInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	var out, errOut buffer
	ended := make(chan int, 1)
	go func() { ended <- run([]string{"--keep", dir}, &out, &errOut, hooks{}) }()
	waitFor(t, &out, "  writer  ")
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != exitEqual || !strings.Contains(out.String(), "\nequal: ") {
		t.Errorf("it ended with %d: %s\n%s", code, errOut.String(), out.String())
	}
	for _, name := range []string{"cloud.db", "agent.log", "cloud.log", "state"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if code := run([]string{"--keep", dir, "--for", "1s"}, io.Discard, &errOut, hooks{}); code != exitWrong || !strings.Contains(errOut.String(), "is not empty\n  hint: ") {
		t.Errorf("again into the same folder: %d, %s", code, errOut.String())
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"--help", exitEqual, "  orders     key int"},
		{"--rate 0", exitUsage, "--rate 0 is not from 1 to 500"},
		{"--for -1s", exitUsage, "before its beginning"},
		{"--for soon", exitUsage, "invalid"},
		{"now", exitUsage, "now"},
		{"--verbose", exitUsage, "unknown flag"},
	} {
		var out bytes.Buffer
		if code := run(strings.Fields(tt.args), &out, &out, hooks{}); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %d, %s", tt.args, code, out.String())
		}
	}
}

func play(t *testing.T, h hooks, args ...string) (string, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(args, &out, &errOut, h)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s%s", out.String(), errOut.String())
		}
	})
	return out.String(), code
}

// buffer is written to by the demo while the test reads it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func waitFor(t *testing.T, b *buffer, text string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); !strings.Contains(b.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", text, b.String())
		}
	}
}
