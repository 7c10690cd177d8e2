package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"tidemark/agent/journal"
	"tidemark/internal/wire"
	"tidemark/uploader/quarantine"
)

// places are where a record can stand: in a bucket, or in a bucket of a table
// in it.
var places = []struct {
	bucket []byte
	table  bool
}{{bucketMeta, false}, {bucketSources, false}, {bucketTables, false}, {bucketJournal, false}, {bucketJournal, true}, {bucketQuarantine, false}, {bucketQuarantine, true}}

// A record that is damaged is found when the file is opened: what check lets
// through can be read, written on, and forgotten.
func FuzzRecords(f *testing.F) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	entry := journal.Entry{Time: now, Table: "dbo.t", Action: "skip", Rule: 3, Reason: "r", Input: json.RawMessage(`{}`)}
	for place, record := range map[int]any{
		0: Site{Instance: "i", Customer: "acme", Paused: &Pause{Since: now}},
		1: Source{Epoch: "e", Marks: map[string]string{"a": "b"}, DBTS: 7},
		2: Table{Cloud: wire.Version{Seq: 9, Watermark: 1 << 63}, Sentinels: []Sentinel{{Key: "[1]", Version: 7}}, Approval: &Approval{Sample: []string{"[1]"}}},
		4: entry,
		6: quarantine.Row{Table: "dbo.t", Key: "[1]", Version: 7, Reason: "r", First: now, Last: now, Tries: 1},
	} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		key := []byte("dbo.t")
		switch place {
		case 0:
			key = keySite
		case 4:
			key = binary.BigEndian.AppendUint64(nil, 1)
		case 6:
			key = []byte("[1]")
		}
		f.Add(byte(place), key, text)
	}
	f.Add(byte(6), []byte("lost"), []byte("7"))
	f.Add(byte(6), []byte("lost"), []byte(`"many"`))
	f.Add(byte(4), []byte("short"), []byte(`{}`))
	f.Add(byte(4), []byte("12345678"), []byte(`[1]`))
	f.Add(byte(0), []byte("format"), []byte("2"))
	f.Add(byte(3), []byte("dbo.t"), []byte("no bucket"))

	b, err := bolt.Open(filepath.Join(f.TempDir(), FileName), 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = b.Close() })
	f.Fuzz(func(t *testing.T, place byte, key, value []byte) {
		err := b.Update(func(tx *bolt.Tx) error {
			for _, name := range [][]byte{bucketMeta, bucketSources, bucketTables, bucketJournal, bucketQuarantine} {
				if err := tx.DeleteBucket(name); err != nil && tx.Bucket(name) != nil {
					return err
				}
			}
			if err := begin(tx); err != nil {
				return err
			}
			p := places[int(place)%len(places)]
			at := tx.Bucket(p.bucket)
			if p.table {
				var err error
				if at, err = at.CreateBucket([]byte("dbo.t")); err != nil {
					return err
				}
			}
			return at.Put(key, value)
		})
		if err != nil || b.View(check) != nil {
			return // not a record that bbolt takes, or found
		}
		db := &DB{bolt: b}
		if _, err := db.Read(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Journal("dbo.t", 0); err != nil {
			t.Fatal(err)
		}
		q, err := quarantine.Open(db.Quarantine(), quarantine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Add(now, quarantine.Row{Table: "dbo.t", Key: "[2]", Version: 1, Reason: "r"}); err != nil {
			t.Fatal(err)
		}
		change := Change{Site: &Site{Instance: "j"}, Tables: map[string]Table{"dbo.t": {High: 1}}, Sources: map[string]Source{"main": {DBTS: 1}}}
		for i := range 3 {
			e := entry
			e.Reason, e.Rule = fmt.Sprint(i), i
			change.Journal = append(change.Journal, e)
		}
		if err := db.Write(change); err != nil {
			t.Fatal(err)
		}
		if all, err := db.Journal("dbo.t", 1); err != nil || len(all) != 1 || all[0].Rule != 2 {
			t.Fatalf("the newest entry is not the one written last: %+v, %v", all, err)
		}
		if err := db.Forget(func(string) bool { return false }); err != nil {
			t.Fatal(err)
		}
	})
}
