package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/wire"
	"tidemark/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *state.DB {
	t.Helper()
	db, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func closeDB(t *testing.T, db *state.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC)
	want := state.Snapshot{
		Site:    state.Site{Instance: "abc", Customer: "acme", Paused: &state.Pause{Since: at, Reason: "backup"}},
		Sources: map[string]state.Source{"main": {Epoch: "e1", EpochSince: at, Marks: map[string]string{"fork": "f"}, DBTS: 1<<64 - 1}},
		Tables: map[string]state.Table{"dbo.orders": {
			Scheduler: scheduler.State{Skips: 3, Synced: scheduler.Version{Epoch: "e1", High: 1<<63 + 1, Rows: 7}},
			Cloud:     wire.Version{Epoch: "e1", Seq: 9, Watermark: 1<<63 + 1, Rows: 7},
			Sentinels: []state.Sentinel{{Key: `[1,"a"]`, Version: 1<<63 + 1}},
			Approval:  &state.Approval{Deletes: 2000, Limit: 1000, Since: at, Sample: []string{"[1]"}},
		}},
	}
	db := open(t, dir)
	if err := db.Write(state.Change{Site: &want.Site, Sources: want.Sources, Tables: want.Tables}); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)

	ro, err := state.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, ro)
	got, err := ro.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	defer closeDB(t, db)
	if _, err := state.Open(dir); !errors.Is(err, state.ErrInUse) {
		t.Errorf("second open: %v, want ErrInUse", err)
	}
}

// TestDamage opens files damaged in many ways: each is set aside, and a new
// one works.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	tables := map[string]state.Table{}
	for i := range 200 {
		tables[fmt.Sprint("t", i)] = state.Table{Cloud: wire.Version{Epoch: "e"}}
	}
	if err := db.Write(state.Change{Tables: tables}); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	good, err := os.ReadFile(filepath.Join(dir, state.FileName))
	if err != nil {
		t.Fatal(err)
	}
	fill := func(from, to int) []byte {
		b := append([]byte(nil), good...)
		for i := from; i < min(to, len(b)); i++ {
			b[i] = 0xA5
		}
		return b
	}
	for name, content := range map[string][]byte{
		"text":        []byte("this is no database, but it is long enough to be looked at as one\n"),
		"cut short":   good[:len(good)/2],
		"head gone":   fill(0, 16<<10),
		"middle gone": fill(len(good)/4, len(good)),
		"all gone":    fill(0, len(good)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, state.FileName), content, 0o600); err != nil {
				t.Fatal(err)
			}
			db := open(t, dir)
			defer closeDB(t, db)
			if db.SetAside == "" || db.Damage == nil {
				t.Fatal("the damage was not seen")
			}
			if kept, err := os.ReadFile(db.SetAside); err != nil || len(kept) == 0 {
				t.Errorf("the damaged file was not kept: %v", err)
			}
			if err := db.Write(state.Change{Site: &state.Site{Instance: "x"}}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJournal(t *testing.T) {
	db := open(t, t.TempDir())
	defer closeDB(t, db)
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	add := func(action string, rule int, o journal.Outcome) {
		t.Helper()
		at = at.Add(time.Minute)
		e := journal.Entry{Time: at, Table: "t", Action: action, Rule: rule, Reason: fmt.Sprint(action, at.Minute()), Outcome: o}
		if err := db.Write(state.Change{Journal: []journal.Entry{e}}); err != nil {
			t.Fatal(err)
		}
	}
	add("upload", 7, journal.Outcome{Rows: 5})
	for range 10 {
		add("skip", 3, journal.Outcome{})
	}
	add("nothing", 11, journal.Outcome{})
	got, err := db.Journal("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Action != "nothing" || got[1].Repeated != 9 || got[1].Reason != "skip11" || got[1].Since.Minute() != 2 || got[2].Outcome.Rows != 5 {
		t.Errorf("journal: %+v", got)
	}
	for i := range journal.MaxEntries + 50 {
		add("upload", 7, journal.Outcome{Rows: int64(i)})
	}
	if got, err = db.Journal("t", 0); err != nil || len(got) != journal.MaxEntries || got[0].Outcome.Rows != journal.MaxEntries+49 {
		t.Errorf("%d entries are kept, the newest of %d rows, %v", len(got), got[0].Outcome.Rows, err)
	}
	if got, _ := db.Journal("another", 5); got != nil {
		t.Errorf("another table's journal: %v", got)
	}
}

func TestForget(t *testing.T) {
	db := open(t, t.TempDir())
	defer closeDB(t, db)
	if err := db.Write(state.Change{
		Tables:  map[string]state.Table{"a": {}, "b": {}},
		Journal: []journal.Entry{{Table: "a"}, {Table: "b"}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Forget(func(table string) bool { return table == "a" }); err != nil {
		t.Fatal(err)
	}
	s, err := db.Read()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Tables["b"]; ok || len(s.Tables) != 1 {
		t.Errorf("tables: %v", s.Tables)
	}
	if j, _ := db.Journal("b", 0); j != nil {
		t.Errorf("journal of a table forgotten: %v", j)
	}
}

func TestInstance(t *testing.T) {
	a := state.Instance("HOST", "m", "/var/lib/tidemark")
	if a != state.Instance("host", "m", "/var/lib/../lib/tidemark") {
		t.Error("the same installation has two ids")
	}
	for _, other := range []string{state.Instance("host2", "m", "/var/lib/tidemark"), state.Instance("host", "n", "/var/lib/tidemark"), state.Instance("host", "m", "/x")} {
		if other == a {
			t.Error("two installations have one id")
		}
	}
}
