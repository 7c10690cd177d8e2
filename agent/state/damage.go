package state

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

// ErrDamaged is the error of a state file in which damage showed only while
// it was used. The next start finds it, and begins a new file.
var ErrDamaged = errors.New("the state file is damaged")

// sound tells whether a file holds all its pages and uses each once. What is
// lost behind the records shows no earlier than when it is written to, and
// then as a fault that ends the process.
func sound(tx *bolt.Tx, file *os.File, readOnly bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() { // bbolt makes a file longer before it refers to what is there
		return fmt.Errorf("the file was cut short: %d bytes of %d", info.Size(), tx.Size())
	}
	// Every page is visited here first: a fault in the goroutine of bbolt's
	// own check could not be caught.
	if err := tx.ForEach(func(_ []byte, b *bolt.Bucket) error { b.Stats(); return nil }); err != nil {
		return err
	}
	if readOnly { // has no list of free pages
		return nil
	}
	for found := range tx.Check() {
		err = errors.Join(err, found)
	}
	return err
}

func (db *DB) view(fn func(*bolt.Tx) error) error {
	return db.guarded(func() error { return db.bolt.View(fn) })
}

func (db *DB) update(fn func(*bolt.Tx) error) error {
	return db.guarded(func() error { return db.bolt.Update(fn) })
}

// guarded is the last resort, for a file that is damaged while it is open.
func (db *DB) guarded(use func() error) (err error) {
	if was := db.broken.Load(); was != nil {
		return *was
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
			db.broken.Store(&err)
		}
	}()
	return use()
}
