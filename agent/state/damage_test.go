package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/wire"
)

// used writes a state that has been in use: of more than one page of each
// kind, with free ones between.
func used(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir)
	for round := range 4 {
		c := state.Change{Tables: map[string]state.Table{}}
		for i := range 60 {
			name := fmt.Sprint("t", i)
			c.Tables[name] = state.Table{Cloud: wire.Version{Epoch: "e", Seq: uint64(round)}}
			c.Journal = append(c.Journal, journal.Entry{Table: name, Action: "upload", Rule: round, Reason: "because"})
		}
		if err := db.Write(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Forget(func(table string) bool { return len(table) < 3 }); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	content, err := os.ReadFile(filepath.Join(dir, state.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// use opens a state of some content and does everything with it.
func use(t *testing.T, content []byte) (setAside bool) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, state.FileName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if ro, err := state.OpenReadOnly(dir); err == nil {
		if _, err := ro.Read(); err != nil {
			t.Errorf("read only: %v", err)
		}
		closeDB(t, ro)
	}
	db := open(t, dir)
	defer closeDB(t, db)
	if _, err := db.Read(); err != nil {
		t.Error(err)
	}
	for round := range 3 {
		c := state.Change{Tables: map[string]state.Table{}}
		for i := range 40 {
			name := fmt.Sprint("n", i)
			c.Tables[name] = state.Table{}
			c.Journal = append(c.Journal, journal.Entry{Table: name, Action: "upload", Rule: round})
		}
		if err := db.Write(c); err != nil {
			t.Error(err)
		}
	}
	if err := db.Forget(func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	return db.SetAside != ""
}

// A file cut short anywhere, or with any page overwritten, opens as a state
// that works: itself where nothing was lost, or a new one.
func TestDamageAnywhere(t *testing.T) {
	good := used(t)
	if use(t, good) {
		t.Fatal("a whole state was set aside")
	}
	page, tried, aside := os.Getpagesize(), 0, 0
	for at := 0; at < len(good); at += page * (1 + at/(16*page)) { // what comes first is the more delicate
		tried++
		for _, cut := range []int{at, at + page/2} {
			if use(t, good[:cut]) {
				aside++
			}
		}
		for _, with := range []byte{0x00, 0xA5, 0xFF} {
			b := append([]byte(nil), good...)
			for i := at; i < min(at+page, len(b)); i++ {
				b[i] = with
			}
			if use(t, b) {
				aside++
			}
		}
		b := append([]byte(nil), good...)
		copy(b[at:], good[len(good)/2:min(len(good)/2+page, len(good))])
		use(t, b)
	}
	if aside < tried {
		t.Errorf("%d files were set aside, of those damaged at %d places", aside, tried)
	}
}

// A file cut while it is open ends no process.
func TestDamageWhileOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, state.FileName)
	if err := os.WriteFile(path, used(t), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir)
	defer closeDB(t, db)
	if err := os.Truncate(path, 0); err != nil {
		t.Skipf("an open file cannot be cut here: %v", err)
	}
	for range 2 {
		if _, err := db.Read(); !errors.Is(err, state.ErrDamaged) {
			t.Errorf("read: %v, want ErrDamaged", err)
		}
	}
	if err := db.Write(state.Change{Site: &state.Site{Instance: "x"}}); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("write: %v, want ErrDamaged", err)
	}
}
