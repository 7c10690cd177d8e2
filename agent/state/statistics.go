package state

import (
	"os"

	bolt "go.etcd.io/bbolt"
)

// Statistics are how full a state file is.
type Statistics struct {
	Bytes       int64                `json:"bytes"`      // of the file
	FreeBytes   int64                `json:"free_bytes"` // of it, to be used again
	Quarantined int                  `json:"quarantined"`
	Buckets     map[string]BucketUse `json:"buckets"`
}

// A BucketUse is what a bucket holds, with those in it.
type BucketUse struct {
	Buckets int   `json:"buckets,omitempty"` // in it, one a table
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"` // of keys and values
}

// Statistics counts what the file holds.
func (db *DB) Statistics() (Statistics, error) {
	s := Statistics{Buckets: map[string]BucketUse{}}
	err := db.view(func(tx *bolt.Tx) error {
		s.Bytes = tx.Size()
		if info, err := os.Stat(db.bolt.Path()); err == nil {
			s.Bytes = info.Size()
		}
		s.FreeBytes = int64(db.bolt.Stats().FreeAlloc)
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			var use BucketUse
			if err := use.add(b); err != nil {
				return err
			}
			s.Buckets[string(name)] = use
			return nil
		})
	})
	if err != nil {
		return s, err
	}
	held, _, err := db.Quarantine().Load()
	s.Quarantined = len(held)
	return s, err
}

func (u *BucketUse) add(b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		u.Bytes += int64(len(k) + len(v))
		if v != nil {
			u.Entries++
			return nil
		}
		u.Buckets++
		return u.add(b.Bucket(k))
	})
}
