package state_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/uploader/quarantine"
)

var update = flag.Bool("update", false, "write the fixture of the format: only together with another number of the format")

const fixture = "testdata/format1.txt"

// at is a time of the fixture.
func at(minute int) time.Time { return time.Date(2026, 11, 23, 10, minute, 0, 5, time.UTC) }

// What the fixture holds: every field that there was when it was made. Fields
// that come later are left at zero here, as a file from before them has it.
var (
	writer = wire.Writer{ID: "0123456789abcdef", Name: "site-1", Run: "fedcba9876543210"}
	synced = scheduler.Version{Epoch: "e1", High: 1<<63 + 1, Rows: 7}
	kept   = state.Snapshot{
		Site: state.Site{
			Instance: "0123456789abcdef", Customer: "acme", Paused: &state.Pause{Since: at(1), Reason: "backup"},
			Problems: []state.Problem{{Kind: "login", Scope: "source", Name: "main", Message: "login failed", Hint: "see password", Since: at(2), Times: 3}},
		},
		Sources: map[string]state.Source{"main": {
			Epoch: "e1", EpochSince: at(3), Marks: map[string]string{"database": "d", "fork": "f"}, DBTS: 1<<64 - 1, Ceiling: 1<<63 + 2, Held: at(4),
		}},
		Tables: map[string]state.Table{"dbo.orders": {
			Scheduler: scheduler.State{
				SinceSync: 1, Skips: 2, FirstSync: true, Open: true, Fresh: true, Owed: true, Synced: synced, Drift: -3, Verified: at(5), Counted: at(6),
			},
			Cloud: wire.Version{
				Epoch: "e1", Seq: 9, Watermark: 1<<63 + 1, Rows: 7, Loaded: true, Cursor: "c", Marks: "m", Schema: "s", Writer: writer,
			},
			Asked: at(7), Batch: "b-9", Refused: 1, LocalRows: 8, High: 1<<63 + 3,
			Sentinels: []state.Sentinel{{Key: `[1,"a"]`, Version: 1<<63 + 1}},
			Scan:      state.Scan{Epoch: "e1", From: 4, To: 5},
			Synced:    at(8), Behind: at(9), Secret: "00ff", Place: state.Place{Token: "p", At: at(10)}, Rest: at(11),
			Approval: &state.Approval{Deletes: 2000, Limit: 1000, Since: at(12), Sample: []string{"[1]"}, Granted: true},
			Paused:   &state.Pause{Since: at(13), Reason: "stocktaking"},
		}},
	}
	decided = scheduler.Input{
		Table: "dbo.orders", Now: at(14), Limits: scheduler.Limits{ForcedSkips: 1, MaxSkips: 60, VerifyEvery: time.Hour, CountEvery: 6 * time.Hour},
		State:   scheduler.State{SinceSync: 2, FirstSync: true, Synced: synced, Verified: at(5)},
		Local:   &scheduler.Version{Epoch: "e1", High: 1<<63 + 3, Rows: 8},
		Ceiling: 1<<63 + 3, Cloud: &scheduler.Cloud{Epoch: "e1", Watermark: 1<<63 + 1, Rows: 7, Loaded: true, Remembered: true, Leased: true},
	}
	entries = []journal.Entry{ // oldest first
		{Time: at(13), Table: "dbo.orders", Action: "skip", Rule: 3, Reason: "unchanged, 1 of 60", Repeated: 4, Since: at(3)},
		{
			Time: at(14), Table: "dbo.orders", Action: "upload", Rule: 7, Upload: "delta", Reason: "local is above the cloud's",
			Outcome: journal.Outcome{
				Rows: 1, Inserted: 2, Updated: 3, Deleted: 4, Unchanged: 5, Quarantined: 6, Bytes: 7, Requests: 8, Batches: 9, Duration: 10,
				Stopped: true, Note: "n", Error: "e", Hint: "h", Kind: "busy",
			},
		},
	}
	refused = []quarantine.Row{{
		Table: "dbo.orders", Key: `[1,"a"]`, Version: 1<<63 + 1, Reason: "limits.row_bytes", Bytes: 20 << 20, First: at(15), Last: at(16), Tries: 2, Present: true, Retry: true,
	}}
)

// TestFormat holds that a file of the first format reads as what was written,
// whoever reads it, and that it is still written so: an older program, put back
// after a failed upgrade, reads what this one has left. Where that cannot be,
// the format has another number, and this fixture one beside it.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	if *update {
		write(t, dir)
		if err := os.WriteFile(fixture, dump(t, dir), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Skip("the fixture is written")
	}
	text, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	restore(t, dir, text)
	db := open(t, dir)
	if db.SetAside != "" {
		t.Fatalf("it was set aside: %v", db.Damage)
	}
	got, err := db.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, got); diff != "" {
		t.Errorf("records (-want +got)\n%s", diff)
	}
	rows, lost, err := db.Quarantine().Load()
	if diff := cmp.Diff(refused, rows); err != nil || diff != "" || lost["dbo.orders"] != 5 || len(lost) != 1 {
		t.Errorf("quarantine: %v, lost %v (-want +got)\n%s", err, lost, diff)
	}
	newest, err := db.Journal("dbo.orders", 0)
	if err != nil || len(newest) != 2 {
		t.Fatalf("journal: %+v, %v", newest, err)
	}
	var in scheduler.Input
	if err := json.Unmarshal(newest[0].Input, &in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decided, in); diff != "" {
		t.Errorf("what a decision was made from (-want +got)\n%s", diff)
	}
	newest[0].Input = nil
	if diff := cmp.Diff([]journal.Entry{entries[1], entries[0]}, newest); diff != "" {
		t.Errorf("journal (-want +got)\n%s", diff)
	}
	closeDB(t, db)

	fresh := t.TempDir()
	write(t, fresh)
	if diff := cmp.Diff(string(text), string(dump(t, fresh))); diff != "" {
		t.Errorf("written now (-fixture +now)\n%s", diff)
	}
}

func write(t *testing.T, dir string) {
	t.Helper()
	db := open(t, dir)
	text, err := json.Marshal(decided)
	if err != nil {
		t.Fatal(err)
	}
	with := append([]journal.Entry(nil), entries...)
	with[1].Input = text
	if err := db.Write(state.Change{Site: &kept.Site, Sources: kept.Sources, Tables: kept.Tables, Journal: with}); err != nil {
		t.Fatal(err)
	}
	if err := db.Quarantine().Save(quarantine.Change{Put: refused, Lost: map[string]uint64{"dbo.orders": 5}}); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
}

// dump writes the file in dir as text: the path of a bucket in brackets, with
// its sequence, and below it its keys and values.
func dump(t *testing.T, dir string) []byte {
	t.Helper()
	b := bolted(t, dir)
	defer func() { _ = b.Close() }()
	var out bytes.Buffer
	var bucket func(path string, b *bolt.Bucket) error
	bucket = func(path string, b *bolt.Bucket) error {
		fmt.Fprintf(&out, "[%s] %d\n", path, b.Sequence())
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return bucket(path+"/"+string(k), b.Bucket(k))
			}
			fmt.Fprintf(&out, "%q %s\n", k, v)
			return nil
		})
	}
	err := b.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return bucket(string(name), b) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// restore makes a file of what dump wrote.
func restore(t *testing.T, dir string, text []byte) {
	t.Helper()
	b := bolted(t, dir)
	defer func() { _ = b.Close() }()
	err := b.Update(func(tx *bolt.Tx) error {
		var in *bolt.Bucket
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if path, seq, ok := strings.Cut(line, "] "); ok && line[0] == '[' {
				names := strings.Split(path[1:], "/")
				var err error
				if in, err = tx.CreateBucketIfNotExists([]byte(names[0])); err == nil && len(names) > 1 {
					in, err = in.CreateBucketIfNotExists([]byte(names[1]))
				}
				var n uint64
				if err == nil {
					_, err = fmt.Sscan(seq, &n)
				}
				if err == nil {
					err = in.SetSequence(n)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", line, err)
				}
				continue
			}
			var key string
			if _, err := fmt.Sscanf(line, "%q", &key); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
			if err := in.Put([]byte(key), []byte(strings.TrimPrefix(line, fmt.Sprintf("%q ", key)))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func bolted(t *testing.T, dir string) *bolt.DB {
	t.Helper()
	b, err := bolt.Open(filepath.Join(dir, state.FileName), 0o600, &bolt.Options{NoFreelistSync: false})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
