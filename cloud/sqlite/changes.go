package sqlite

import (
	"context"
	"database/sql"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// keyedChanges are what a batch changes, for the summary; nil where none is
// kept. Keys are in their wire form.
type keyedChanges struct {
	*sums.Changes
	types []wire.Type
	key   []byte
}

// beginChanges returns the changes that a batch has to collect.
func (h *held) beginChanges(ctx context.Context, tx *sql.Tx, b cloud.Batch, next ledger.State) (*keyedChanges, error) {
	if !h.mark.Keeps(h.state, b.Header) {
		return nil, nil
	}
	kept, err := loadSummary(ctx, tx, b.Customer, b.Table)
	if err != nil {
		return nil, err
	}
	types := h.schema.KeyTypes()
	c, err := sums.NewChanges(kept.layout, types, h.secret, next.EpochNumber)
	return &keyedChanges{Changes: c, types: types}, err
}

// endChanges writes the log's entry and returns the table's next mark.
func (h *held) endChanges(ctx context.Context, tx *sql.Tx, b cloud.Batch, next ledger.State, c *keyedChanges) (sums.Mark, error) {
	var entry []byte
	if c != nil {
		entry = c.Entry()
	}
	mark := h.mark.Next(h.state, next, b.Header, entry)
	if entry == nil {
		return mark, nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO log (customer, name, seq, entry) VALUES (?, ?, ?, ?)", b.Customer, b.Table, int64(next.Version.Seq), entry)
	return mark, err
}

func (c *keyedChanges) canonical(key [][]byte) (err error) {
	c.key, err = canon.Key(c.key[:0], c.types, key)
	return err
}

func (c *keyedChanges) insert(key [][]byte, version uint64) error {
	if c == nil {
		return nil
	}
	if err := c.canonical(key); err != nil {
		return err
	}
	return c.Insert(c.key, version)
}

func (c *keyedChanges) update(key [][]byte, version, was uint64, epoch int64) error {
	if c == nil {
		return nil
	}
	if err := c.canonical(key); err != nil {
		return err
	}
	return c.Update(c.key, version, was, epoch)
}

func (c *keyedChanges) delete(key [][]byte, was uint64, epoch int64) error {
	if c == nil {
		return nil
	}
	if err := c.canonical(key); err != nil {
		return err
	}
	return c.Delete(c.key, was, epoch)
}
