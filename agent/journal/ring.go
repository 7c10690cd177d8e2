package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Bounds of a ring: entries, and bytes of the texts that come from elsewhere.
const (
	MaxEntries = 200
	maxText    = 2 << 10
)

// Append adds an entry to the ring in b, in the transaction that b is of. It
// takes the place of the one before when both did nothing by the same rule,
// and the oldest entries go when the ring is full.
func Append(b *bolt.Bucket, e Entry) error {
	e.Outcome.Error, e.Outcome.Hint = cut(e.Outcome.Error), cut(e.Outcome.Hint)
	c := b.Cursor()
	if k, v := c.Last(); k != nil {
		var last Entry
		if err := json.Unmarshal(v, &last); err == nil && e.repeats(last) {
			e.Repeated += last.Repeated + 1
			e.Since = last.Since
			if e.Since.IsZero() {
				e.Since = last.Time
			}
			return put(b, append([]byte(nil), k...), e)
		}
	}
	seq, err := b.NextSequence()
	if err != nil {
		return err
	}
	if err := put(b, binary.BigEndian.AppendUint64(nil, seq), e); err != nil {
		return err
	}
	for k, _ := c.First(); k != nil && seq-binary.BigEndian.Uint64(k) >= MaxEntries; k, _ = c.First() {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// repeats tells whether e and the one before it did nothing by the same rule.
func (e Entry) repeats(last Entry) bool {
	return e.Action == last.Action && e.Rule == last.Rule && (e.Action == "skip" || e.Action == "nothing") &&
		e.Outcome == (Outcome{}) && last.Outcome == (Outcome{})
}

func put(b *bolt.Bucket, k []byte, e Entry) error {
	v, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return b.Put(k, v)
}

// Check reports what in the ring in b cannot be read, or nil.
func Check(b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		var e Entry
		if err := json.Unmarshal(v, &e); err != nil {
			return fmt.Errorf("journal entry %x: %w", k, err)
		}
		if len(k) != 8 || binary.BigEndian.Uint64(k) > b.Sequence() {
			return fmt.Errorf("journal entry %x is of no ring", k)
		}
		return nil
	})
}

// Newest returns the newest entries of the ring in b, newest first; at most n,
// or all of them for 0.
func Newest(b *bolt.Bucket, n int) ([]Entry, error) {
	var all []Entry
	c := b.Cursor()
	for k, v := c.Last(); k != nil && (n <= 0 || len(all) < n); k, v = c.Prev() {
		var e Entry
		if err := json.Unmarshal(v, &e); err != nil {
			return all, fmt.Errorf("journal entry %x: %w", k, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func cut(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "..."
	}
	return s
}
