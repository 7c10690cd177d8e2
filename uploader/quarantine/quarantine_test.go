package quarantine_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/uploader/quarantine"
)

// memory is a Store, in the way in which a file is one.
type memory struct {
	rows map[quarantine.Ref]quarantine.Row
	lost map[string]uint64
	err  error
}

func newMemory() *memory {
	return &memory{rows: map[quarantine.Ref]quarantine.Row{}, lost: map[string]uint64{}}
}

func (m *memory) Load() ([]quarantine.Row, map[string]uint64, error) {
	var rows []quarantine.Row
	for _, r := range m.rows {
		rows = append(rows, r)
	}
	return rows, maps.Clone(m.lost), m.err
}

func (m *memory) Save(c quarantine.Change) error {
	if m.err != nil {
		return m.err
	}
	for _, ref := range c.Drop {
		delete(m.rows, ref)
	}
	for _, r := range c.Put {
		m.rows[quarantine.Ref{Table: r.Table, Key: r.Key}] = r
	}
	maps.Copy(m.lost, c.Lost)
	return nil
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func open(t interface{ Fatal(...any) }, s quarantine.Store, l quarantine.Limits) *quarantine.Quarantine {
	q, err := quarantine.Open(s, l)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func row(table, key string, version uint64) quarantine.Row {
	return quarantine.Row{Table: table, Key: key, Version: version, Reason: "refused"}
}

func TestARowIsTriedAgainWhenItChangesOrOnRequest(t *testing.T) {
	store := newMemory()
	q := open(t, store, quarantine.Limits{})
	if err := q.Add(noon, row("orders", "[1]", 7)); err != nil {
		t.Fatal(err)
	}
	if !q.Holds("orders", "[1]") || q.Holds("orders", "[2]") || q.Holds("other", "[1]") {
		t.Error("it holds the row, and no other")
	}
	if n, err := q.Retry("orders", "[1]", "[2]", "[1]"); n != 1 || err != nil {
		t.Errorf("retry of one row: %d, %v", n, err)
	}
	q = open(t, store, quarantine.Limits{}) // the request survives a restart
	if due := q.Due("orders", 10); len(due) != 1 || due[0].Key != "[1]" {
		t.Errorf("due: %v", due)
	}
	again := row("orders", "[1]", 9)
	again.Reason, again.Present, again.Bytes = "still refused", true, 12
	if err := q.Add(noon.Add(time.Hour), again); err != nil {
		t.Fatal(err)
	}
	want := []quarantine.Row{{Table: "orders", Key: "[1]", Version: 9, Reason: "still refused", Bytes: 12,
		First: noon, Last: noon.Add(time.Hour), Tries: 2, Present: true}}
	if diff := cmp.Diff(want, q.List("")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if n, err := q.Drop("orders", "[1]"); n != 1 || err != nil || len(q.List("")) != 0 || len(store.rows) != 0 {
		t.Errorf("drop: %d, %v, left %v and %v", n, err, q.List(""), store.rows)
	}
}

func TestGap(t *testing.T) {
	q := open(t, newMemory(), quarantine.Limits{})
	there := row("orders", "[1]", 7)
	there.Present = true
	if err := q.Add(noon, there, row("orders", "[2]", 8), row("orders", "[3]", 9), row("other", "[1]", 1)); err != nil {
		t.Fatal(err)
	}
	if got, want := q.Size("orders"), (quarantine.Size{Rows: 3, First: noon, Gap: 2}); got != want {
		t.Errorf("size %+v, want %+v", got, want)
	}
}

func TestLimits(t *testing.T) {
	store := newMemory()
	q := open(t, store, quarantine.Limits{Rows: 3})
	for i := range 5 {
		if err := q.Add(noon.Add(time.Duration(i)*time.Minute), row("orders", fmt.Sprintf("[%d]", i), 1), row("other", "[0]", 1)); err != nil {
			t.Fatal(err)
		}
	}
	var keys []string
	for _, r := range q.List("orders") {
		keys = append(keys, r.Key)
	}
	if diff := cmp.Diff([]string{"[2]", "[3]", "[4]"}, keys); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	q = open(t, store, quarantine.Limits{Rows: 3})
	if got, want := q.Size("orders"), (quarantine.Size{Rows: 3, First: noon.Add(2 * time.Minute), Gap: 3, Lost: 2}); got != want {
		t.Errorf("size %+v, want %+v", got, want)
	}
	if n, err := q.Drop("orders"); n != 3 || err != nil || q.Size("orders") != (quarantine.Size{}) || q.Size("other").Rows != 1 {
		t.Errorf("drop of all: %d, %v, left %+v", n, err, q.Size("orders"))
	}
}

func TestNoKeyInALog(t *testing.T) {
	r := row("orders", `["secret"]`, 7)
	for _, text := range []string{fmt.Sprint(r), fmt.Sprintf("%v %s", r, r)} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "orders") {
			t.Errorf("printed: %s", text)
		}
	}
}

func TestReasonIsCutAtACharacter(t *testing.T) {
	q := open(t, newMemory(), quarantine.Limits{})
	r := row("orders", "[1]", 7)
	r.Reason = strings.Repeat("ä", 1000)
	if err := q.Add(noon, r); err != nil {
		t.Fatal(err)
	}
	if got := q.List("")[0].Reason; len(got) > quarantine.MaxReason || len(got) < quarantine.MaxReason-4 || !utf8.ValidString(got) {
		t.Errorf("reason of %d bytes: %q", len(got), got)
	}
}

func TestStoreErrors(t *testing.T) {
	full := errors.New("the disk is full")
	if _, err := quarantine.Open(&memory{err: full}, quarantine.Limits{}); !errors.Is(err, full) {
		t.Errorf("open: %v", err)
	}
	store := newMemory()
	q := open(t, store, quarantine.Limits{})
	store.err = full
	if err := q.Add(noon, row("orders", "[1]", 7)); !errors.Is(err, full) {
		t.Errorf("add: %v", err)
	}
	if !q.Holds("orders", "[1]") {
		t.Error("it does not go on with what it knows")
	}
}

// TestStoreAndMemoryAgree holds the bounds, and what a restart brings back,
// over generated histories.
func TestStoreAndMemoryAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := quarantine.Limits{Rows: rapid.IntRange(1, 5).Draw(t, "rows"), Bytes: rapid.IntRange(40, 200).Draw(t, "bytes")}
		store := newMemory()
		q := open(t, store, limits)
		table := rapid.SampledFrom([]string{"a", "b", "c"})
		key := rapid.Map(rapid.IntRange(0, 9), func(i int) string { return fmt.Sprintf("[%d]", i) })
		now := noon
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				now = now.Add(time.Second)
				var rows []quarantine.Row
				for range rapid.IntRange(1, 4).Draw(t, "n") {
					rows = append(rows, row(table.Draw(t, "table"), key.Draw(t, "key"), 1))
				}
				if err := q.Add(now, rows...); err != nil {
					t.Fatal(err)
				}
			},
			"drop": func(t *rapid.T) {
				if _, err := q.Drop(table.Draw(t, "table"), key.Draw(t, "key")); err != nil {
					t.Fatal(err)
				}
			},
			"drop all": func(t *rapid.T) {
				if _, err := q.Drop(table.Draw(t, "table")); err != nil {
					t.Fatal(err)
				}
			},
			"retry": func(t *rapid.T) {
				if _, err := q.Retry(table.Draw(t, "table")); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				bytes := 0
				for _, r := range q.List("") {
					bytes += len(r.Table) + len(r.Key) + len(r.Reason)
				}
				if bytes > limits.Bytes {
					t.Fatalf("%d bytes, the limit is %d", bytes, limits.Bytes)
				}
				again := open(t, store, limits)
				if diff := cmp.Diff(q.List(""), again.List("")); diff != "" {
					t.Fatalf("after a restart (-before +after):\n%s", diff)
				}
				for _, name := range []string{"a", "b", "c"} {
					if q.Size(name) != again.Size(name) || q.Size(name).Rows > limits.Rows {
						t.Fatalf("%s: %+v, after a restart %+v", name, q.Size(name), again.Size(name))
					}
				}
			},
		})
	})
}
