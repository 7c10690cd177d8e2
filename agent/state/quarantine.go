package state

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"tidemark/uploader/quarantine"
)

var (
	bucketQuarantine = []byte("quarantine") // a bucket in it per table, of rows by key
	keyLost          = []byte("lost")       // beside the keys, which are JSON arrays
)

// Quarantine returns the part of the state that keeps the quarantine.
func (db *DB) Quarantine() quarantine.Store { return rows{db} }

type rows struct{ *DB }

// Load implements quarantine.Store.
func (r rows) Load() (all []quarantine.Row, lost map[string]uint64, err error) {
	err = r.view(func(tx *bolt.Tx) (err error) {
		all, lost, err = quarantined(tx)
		return err
	})
	return all, lost, err
}

func quarantined(tx *bolt.Tx) (all []quarantine.Row, lost map[string]uint64, err error) {
	lost = map[string]uint64{}
	root := tx.Bucket(bucketQuarantine)
	err = root.ForEach(func(table, v []byte) error {
		if v != nil {
			return fmt.Errorf("quarantine of %q is damaged", table)
		}
		return root.Bucket(table).ForEach(func(k, v []byte) error {
			var err error
			if string(k) == string(keyLost) {
				var n uint64
				err = json.Unmarshal(v, &n)
				lost[string(table)] = n
			} else {
				var row quarantine.Row
				err = json.Unmarshal(v, &row)
				all = append(all, row)
			}
			if err != nil {
				return fmt.Errorf("quarantine of %q: %w", table, err)
			}
			return nil
		})
	})
	return all, lost, err
}

// Save implements quarantine.Store.
func (r rows) Save(c quarantine.Change) error {
	return r.update(func(tx *bolt.Tx) error {
		root := tx.Bucket(bucketQuarantine)
		of := func(table string) (*bolt.Bucket, error) { return root.CreateBucketIfNotExists([]byte(table)) }
		for _, row := range c.Put {
			b, err := of(row.Table)
			if err != nil {
				return err
			}
			if err := put(b, []byte(row.Key), row); err != nil {
				return err
			}
		}
		for _, ref := range c.Drop {
			if b := root.Bucket([]byte(ref.Table)); b != nil {
				if err := b.Delete([]byte(ref.Key)); err != nil {
					return err
				}
			}
		}
		for table, n := range c.Lost {
			b, err := of(table)
			if err != nil {
				return err
			}
			if err := put(b, keyLost, n); err != nil {
				return err
			}
		}
		return nil
	})
}
