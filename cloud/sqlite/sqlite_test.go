package sqlite_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/cloud/storetest"
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
