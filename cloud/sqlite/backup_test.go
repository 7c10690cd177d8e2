package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	driver "modernc.org/sqlite"
)

// What docs/deployment.md says of back-ups: copied as `.backup` of the sqlite3
// program copies, by the same function of SQLite, while the store is at work, and
// put in place of a file that is damaged.
func TestBackup(t *testing.T) {
	path, backup := filepath.Join(t.TempDir(), "cloud.db"), filepath.Join(t.TempDir(), "copy.db")
	s := open(t, path)
	load(t, s, "before", 1000)
	if _, err := s.Summarize(t.Context(), "before", "t"); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
				load(t, s, fmt.Sprint("while", n), 100)
			}
		}
	})
	copyOnline(t, path, backup)
	close(done)
	writing.Wait()
	load(t, s, "after", 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	s = open(t, path)
	if wrong, err := s.Scrub(t.Context(), "before", "t"); err != nil || wrong != 0 {
		t.Errorf("%d leaves are wrong, %v", wrong, err)
	}
	customers, err := s.ListCustomers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range customers {
		if c.ID == "after" {
			t.Error("what came after the copy is in it")
		}
		// Whole batches: one may have been between a customer and its table.
		if v, err := s.Versions(t.Context(), c.ID); err != nil || len(v.Tables) > 0 && v.Tables["t"].Loaded != (v.Tables["t"].Rows > 0) {
			t.Errorf("%s: %+v, %v", c.ID, v, err)
		}
	}
	if v, err := s.Versions(t.Context(), "before"); err != nil || v.Tables["t"].Rows != 1000 {
		t.Errorf("%+v, %v", v, err)
	}
}

func copyOnline(t *testing.T, from, to string) {
	t.Helper()
	db, err := sql.Open("sqlite", from+"?_pragma=busy_timeout(600000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		b, err := c.(interface {
			NewBackup(string) (*driver.Backup, error)
		}).NewBackup(to)
		for more := err == nil; more && err == nil; {
			more, err = b.Step(-1)
		}
		if b == nil {
			return err
		}
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		t.Fatal(err)
	}
}
