package secrets_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent/secrets"
)

func TestStore(t *testing.T) {
	s := secrets.Beside(filepath.Join(t.TempDir(), "tidemark.yaml"))
	if all, err := s.List(); len(all) != 0 || err != nil {
		t.Errorf("nothing was set: %v %v", all, err)
	}
	if _, err := s.Get("sql"); !errors.Is(err, secrets.ErrNone) {
		t.Errorf("Get: %v", err)
	}
	if err := s.Remove("sql"); !errors.Is(err, secrets.ErrNone) {
		t.Errorf("Remove: %v", err)
	}
	for name, value := range map[string]string{"sql": "one", "cloud.key": "tmk_1\n"} {
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set("sql", "Pa55 wörd!\r\n"); err != nil { // in place of the first
		t.Fatal(err)
	}
	if got, err := s.Get("sql"); got != "Pa55 wörd!" || err != nil {
		t.Errorf("Get: %q %v", got, err)
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name+" "+e.From)
	}
	if diff := cmp.Diff([]string{"cloud.key store", "sql store"}, names); diff != "" {
		t.Error(diff)
	}
	if err := s.Remove("sql"); err != nil {
		t.Error(err)
	}
	if _, err := s.Get("sql"); !errors.Is(err, secrets.ErrNone) {
		t.Errorf("removed, and Get: %v", err)
	}
}

func TestRefused(t *testing.T) {
	s := secrets.In(filepath.Join(t.TempDir(), "secrets"))
	for _, test := range []struct {
		name, value string
		want        error
	}{
		{"", "x", secrets.ErrName},
		{"../key", "x", secrets.ErrName},
		{"Key", "x", secrets.ErrName}, // file names that differ in case alone are one on Windows
		{".new-1", "x", secrets.ErrName},
		{strings.Repeat("a", 64), "x", secrets.ErrName},
		{"key", "", secrets.ErrEmpty},
		{"key", " \n", secrets.ErrEmpty},
		{"key", strings.Repeat("a", secrets.MaxBytes+1), secrets.ErrLarge},
	} {
		if err := s.Set(test.name, test.value); !errors.Is(err, test.want) {
			t.Errorf("Set %q: %v", test.name, err)
		}
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Error("what was refused made the directory")
	}
	if _, err := s.Get("../key"); !errors.Is(err, secrets.ErrName) {
		t.Errorf("Get: %v", err)
	}
	if err := s.Remove("../key"); !errors.Is(err, secrets.ErrName) {
		t.Errorf("Remove: %v", err)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps rights in lists, not in modes")
	}
	s := secrets.In(filepath.Join(t.TempDir(), "secrets"))
	if err := s.Set("key", "v"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{s.Dir(): 0o700, filepath.Join(s.Dir(), "key.secret"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o", path, got)
		}
	}
}

// An administrator's files belong to the service's account.
func TestRootGivesAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	state := t.TempDir()
	if err := os.Chown(state, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	s := secrets.In(filepath.Join(t.TempDir(), "secrets"))
	s.OwnedLike(state)
	if err := s.Set("key", "v"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.Dir(), filepath.Join(s.Dir(), "key.secret")} {
		if got := owner(t, path); got != 65534 {
			t.Errorf("%s belongs to %d", path, got)
		}
	}
}

// What systemd hands over comes first.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("from systemd\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	before := secrets.In(filepath.Join(t.TempDir(), "secrets"))
	for _, name := range []string{"key", "other"} {
		if err := before.Set(name, "from the store"); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	s := secrets.In(before.Dir())
	for name, want := range map[string]string{"key": "from systemd", "other": "from the store"} {
		if got, err := s.Get(name); got != want || err != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// A file that was cut short, or is none of ours, is an error and no secret.
func TestDamaged(t *testing.T) {
	s := secrets.In(filepath.Join(t.TempDir(), "secrets"))
	if err := s.Set("key", "v"); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(s.Dir(), "key.secret"), 0); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get("key"); err == nil {
		t.Errorf("%q", got)
	}
}
