package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/cloud/storetest"
	"tidemark/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestSuite(t *testing.T) {
	storetest.Run(t, storetest.Options{Open: func(t *testing.T) cloud.Store {
		return open(t, filepath.Join(t.TempDir(), "cloud.db"))
	}})
}

// Rows of customers are nobody else's to read on the server's machine.
func TestFilesArePrivate(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "cloud.db"))
	if _, err := s.Change(t.Context(), cloud.Change{Who: "ann", Action: "note", Subject: "nothing"}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", f.Name(), info.Mode())
		}
	}
}

// A file of a newer program is refused, with what to do, and left as it is.
func TestNewerFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), path)
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(err.Error(), "its schema is 1000") || !strings.Contains(f.Hint, "that program") {
		t.Errorf("%v", err)
	}
	var version int
	if err := db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil || version != 1000 {
		t.Errorf("left at %d, %v", version, err)
	}
}
