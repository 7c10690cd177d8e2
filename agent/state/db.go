package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

// FileName of the state in its directory.
const FileName = "state.db"

// format of the file. Another one is set aside.
const format = "1"

var (
	bucketMeta    = []byte("meta")
	bucketSources = []byte("sources")
	bucketTables  = []byte("tables")
	bucketJournal = []byte("journal") // a bucket in it per table
	keyFormat     = []byte("format")
	keySite       = []byte("site")
)

// ErrInUse is the error of opening a state that another process has open.
var ErrInUse = errors.New("another tidemark has the state open")

// A DB is an open state file.
type DB struct {
	bolt *bolt.DB
	// SetAside is the new name of a file that could not be read; "" when there
	// was none.
	SetAside string
	// Damage is what was wrong with it.
	Damage error
	broken atomic.Pointer[error] // what bbolt panicked over
}

// Open opens the state in dir, which is made when it is not there. A file that
// cannot be read is set aside and a new one begun: see SetAside. ErrInUse when
// another process has it.
func Open(dir string) (*DB, error) {
	const op = "open the state"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(op, err, "the service's account needs a directory that it can write: see state_dir in the configuration")
	}
	path := filepath.Join(dir, FileName)
	b, err := openFile(path, false)
	if err == nil {
		return &DB{bolt: b}, nil
	}
	if errors.Is(err, ErrInUse) {
		return nil, fault.New(op, err, "stop the other one first, or give this one its own state_dir")
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.New(op, err, "the service's account needs to read and write "+path)
	}
	aside := path + damaged + time.Now().UTC().Format("20060102T150405.000")
	if renamed := os.Rename(path, aside); renamed != nil {
		return nil, fault.New(op, errors.Join(err, renamed), "move "+path+" away: losing it loses nothing but a round of comparison")
	}
	if b, again := openFile(path, false); again == nil {
		return &DB{bolt: b, SetAside: aside, Damage: err}, nil
	} else {
		return nil, fault.New(op, again, "is there room on the disk?")
	}
}

// OpenReadOnly opens the state in dir for reading, while no agent runs on it.
func OpenReadOnly(dir string) (*DB, error) {
	b, err := openFile(filepath.Join(dir, FileName), true)
	if err != nil {
		return nil, fault.New("read the state", err, "")
	}
	return &DB{bolt: b}, nil
}

// openFile opens and reads the whole file, which is small, so that damage
// shows now.
func openFile(path string, readOnly bool) (b *bolt.DB, err error) {
	// A file that was cut short faults on access to the pages it lost.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var file *os.File
	writing := false
	defer func() {
		if r := recover(); r != nil {
			closed := file.Close // all that is sure not to wait for a lock of bbolt's
			if b != nil && !writing {
				closed = b.Close
			}
			b, err = nil, errors.Join(fmt.Errorf("the file is damaged: %v", r), closed())
		}
	}()
	// Without its free list in the file, bbolt would walk a damaged one in a
	// goroutine of its own, whose panic nobody could catch.
	b, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: 2 * time.Second, ReadOnly: readOnly, NoFreelistSync: false,
		OpenFile: func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
			f, err = os.OpenFile(name, flag, mode)
			file = f
			return f, err
		}})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	defer func(opened *bolt.DB) { // b is nil by then
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}(b)
	if err := b.View(func(tx *bolt.Tx) error { return sound(tx, file, readOnly) }); err != nil {
		return nil, err
	}
	if !readOnly {
		if err := ownLike(path, filepath.Dir(path)); err != nil {
			return nil, err
		}
		writing = true
		if err := b.Update(begin); err != nil {
			return nil, err
		}
		writing = false
	}
	if err := b.View(check); err != nil {
		return nil, err
	}
	return b, nil
}

// begin makes what a new file needs.
func begin(tx *bolt.Tx) error {
	if tx.Bucket(bucketMeta) != nil {
		return nil
	}
	for _, name := range [][]byte{bucketMeta, bucketSources, bucketTables, bucketJournal, bucketQuarantine} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMeta).Put(keyFormat, []byte(format))
}

// check reads everything.
func check(tx *bolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return errors.New("the file is not a state")
	}
	if got := meta.Get(keyFormat); string(got) != format {
		return fmt.Errorf("the file has format %q, this program writes %q", got, format)
	}
	for _, name := range [][]byte{bucketSources, bucketTables, bucketJournal, bucketQuarantine} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("the file lacks %s", name)
		}
	}
	if _, err := read(tx); err != nil {
		return err
	}
	if err := tx.Bucket(bucketJournal).ForEach(func(table, v []byte) error {
		if v != nil {
			return fmt.Errorf("journal of %q is damaged", table)
		}
		return journal.Check(tx.Bucket(bucketJournal).Bucket(table))
	}); err != nil {
		return err
	}
	_, _, err := quarantined(tx)
	return err
}

// Close closes the file.
func (db *DB) Close() error {
	if db.broken.Load() != nil {
		return nil // bbolt may hold its locks for ever; the file's ends with the process
	}
	return db.bolt.Close()
}

// A Snapshot is all records but journal and quarantine.
type Snapshot struct {
	Site    Site
	Sources map[string]Source
	Tables  map[string]Table
}

// Read returns all records.
func (db *DB) Read() (s Snapshot, err error) {
	err = db.view(func(tx *bolt.Tx) (err error) {
		s, err = read(tx)
		return err
	})
	return s, err
}

func read(tx *bolt.Tx) (Snapshot, error) {
	s := Snapshot{Sources: map[string]Source{}, Tables: map[string]Table{}}
	if v := tx.Bucket(bucketMeta).Get(keySite); v != nil {
		if err := json.Unmarshal(v, &s.Site); err != nil {
			return s, err
		}
	}
	if err := readAll(tx.Bucket(bucketSources), s.Sources); err != nil {
		return s, err
	}
	return s, readAll(tx.Bucket(bucketTables), s.Tables)
}

func readAll[T any](b *bolt.Bucket, into map[string]T) error {
	return b.ForEach(func(k, v []byte) error {
		var r T
		if err := json.Unmarshal(v, &r); err != nil {
			return fmt.Errorf("record %q: %w", k, err)
		}
		into[string(k)] = r
		return nil
	})
}

// Write writes a change in one transaction. An empty one costs nothing.
func (db *DB) Write(c Change) error {
	if c.Empty() {
		return nil
	}
	err := db.update(func(tx *bolt.Tx) error {
		if c.Site != nil {
			if err := put(tx.Bucket(bucketMeta), keySite, c.Site); err != nil {
				return err
			}
		}
		for name, r := range c.Sources {
			if err := put(tx.Bucket(bucketSources), []byte(name), r); err != nil {
				return err
			}
		}
		for name, r := range c.Tables {
			if err := put(tx.Bucket(bucketTables), []byte(name), r); err != nil {
				return err
			}
		}
		for _, e := range c.Journal {
			ring, err := tx.Bucket(bucketJournal).CreateBucketIfNotExists([]byte(e.Table))
			if err != nil {
				return err
			}
			if err := journal.Append(ring, e); err != nil {
				return err
			}
		}
		return nil
	})
	return fault.New("write the state", err, "is there room on the disk? The agent goes on; what it cannot write it compares again after a restart")
}

func put(b *bolt.Bucket, k []byte, r any) error {
	v, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.Put(k, v)
}

// Journal returns the newest entries of a table, newest first, at most n, or
// all of them for 0.
func (db *DB) Journal(table string, n int) (all []journal.Entry, err error) {
	err = db.view(func(tx *bolt.Tx) (err error) {
		if ring := tx.Bucket(bucketJournal).Bucket([]byte(table)); ring != nil {
			all, err = journal.Newest(ring, n)
		}
		return err
	})
	return all, err
}

// Forget drops all that is remembered of the tables that keep does not name.
func (db *DB) Forget(keep func(table string) bool) error {
	return db.update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketTables, bucketJournal, bucketQuarantine} {
			b := tx.Bucket(name)
			var gone [][]byte
			err := b.ForEach(func(k, _ []byte) error {
				if !keep(string(k)) {
					gone = append(gone, append([]byte(nil), k...))
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, k := range gone {
				del := b.DeleteBucket
				if b.Get(k) != nil {
					del = b.Delete
				}
				if err := del(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
