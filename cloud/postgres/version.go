package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// versionColumns are what a state is made of, in the order of state.scan.
const versionColumns = `v.schema, v.epoch, v.epoch_number, v.seq, v.watermark, v.rows, v.loaded, v.pristine, v.cursor, v.marks,
	v.batch, v.writer, v.writer_name, v.writer_run, v.writer_since, v.summary, v.summed, v.logged, v.secret`

// readVersions reads one row a table, by the primary key.
const readVersions = "SELECT v.name, " + versionColumns + " FROM tidemark.versions v WHERE v.customer = $1"

// lockState reads the version of a customer's table for a change, with the
// shape of its dataset.
const lockState = "SELECT " + versionColumns + `, d.shape
	FROM tidemark.versions v JOIN tidemark.datasets d USING (name)
	WHERE v.customer = $1 AND v.name = $2 FOR UPDATE OF v`

// readState is lockState without the lock.
const readState = "SELECT " + versionColumns + `, d.shape
	FROM tidemark.versions v JOIN tidemark.datasets d USING (name)
	WHERE v.customer = $1 AND v.name = $2`

// A state is the version row.
type state struct {
	ledger.State
	// pristine says that a load is under way that found the table empty, so
	// that its rows are very likely new.
	pristine bool
	mark     sums.Mark
	secret   summary.Secret
	shape    int

	since *time.Time
	// Postgres has no unsigned numbers: these are stored as their bits.
	seq, watermark, summary, summed int64
	secretBytes                     []byte
}

// columns are the destinations of versionColumns.
func (s *state) columns() []any {
	v := &s.Version
	return []any{&v.Schema, &v.Epoch, &s.EpochNumber, &s.seq, &s.watermark, &v.Rows, &v.Loaded, &s.pristine, &v.Cursor, &v.Marks,
		&s.Batch, &v.Writer.ID, &v.Writer.Name, &v.Writer.Run, &s.since,
		&s.summary, &s.summed, &s.mark.Logged, &s.secretBytes}
}

// scanned finishes what columns began.
func (s *state) scanned() {
	s.Version.Seq, s.Version.Watermark = uint64(s.seq), uint64(s.watermark)
	s.mark.Number, s.mark.Seq = uint64(s.summary), uint64(s.summed)
	copy(s.secret[:], s.secretBytes)
	if s.since != nil {
		s.WriterSince = s.since.UTC()
	}
}

// begin starts a transaction with the statement begin and reads the state of
// a customer's table with query, in one round trip. The error is a problem
// NotFound when the table is not registered.
func (c *session) begin(ctx context.Context, begin, query, customer, table string) (state, error) {
	return c.state(ctx, query, customer, table, statement{sql: begin})
}

// state does that with what comes before it, in one round trip.
func (c *session) state(ctx context.Context, query, customer, table string, before ...statement) (state, error) {
	var s state
	err := c.pipeline(ctx, append(before, statement{sql: query, args: []any{customer, table}, scan: append(s.columns(), &s.shape)})...)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, unregistered(table)
	}
	s.scanned()
	return s, err
}

func unregistered(table string) error {
	return notFound(fmt.Sprintf("table %q is not registered", table), "Register its schema first.")
}

// write is the statement that stores the state, with another token for the
// customer's versions. It is the last but few of a transaction: the token is
// what batches for different tables of a customer wait for each other at.
func (s *state) write(customer, table string) statement {
	v := &s.Version
	var since *time.Time
	if !s.WriterSince.IsZero() {
		since = &s.WriterSince
	}
	return statement{
		sql: `WITH other AS (UPDATE tidemark.tokens SET token = $21 WHERE customer = $1)
			UPDATE tidemark.versions SET schema = $3, epoch = $4, epoch_number = $5, seq = $6, watermark = $7, rows = $8, loaded = $9,
			pristine = $10, cursor = $11, marks = $12, batch = $13, writer = $14, writer_name = $15, writer_run = $16, writer_since = $17,
			summary = $18, summed = $19, logged = $20
			WHERE customer = $1 AND name = $2`,
		args: []any{customer, table, v.Schema, v.Epoch, s.EpochNumber, int64(v.Seq), int64(v.Watermark), v.Rows, v.Loaded,
			s.pristine, v.Cursor, v.Marks, s.Batch, v.Writer.ID, v.Writer.Name, v.Writer.Run, since,
			int64(s.mark.Number), int64(s.mark.Seq), s.mark.Logged, newToken()},
	}
}

// newToken is made here, because a cluster takes no update with a function that
// gives something else on each of its nodes.
func newToken() string {
	var token [16]byte
	_, _ = rand.Read(token[:]) // cannot fail
	return hex.EncodeToString(token[:])
}

// writeMark is the statement that stores the mark of a summary alone, which is
// no part of the version.
func (s *state) writeMark(customer, table string) statement {
	return statement{
		sql:  "UPDATE tidemark.versions SET summary = $3, summed = $4, logged = $5 WHERE customer = $1 AND name = $2",
		args: []any{customer, table, int64(s.mark.Number), int64(s.mark.Seq), s.mark.Logged},
	}
}

// noBatches is a ring without batches.
var noBatches = make([]byte, cloud.RecentBytes)

// keepAnswer is the statement that stores the answer to the last batch, and
// remembers the batch: in a ring, because an update within a page is logged
// from the first byte that it changes to the last.
func keepAnswer(b cloud.Batch, a wire.Answer) (statement, error) {
	a.Version = wire.Version{} // the version row has it
	document, err := json.Marshal(a)
	taken := b.Taken(a).Encode()
	return statement{
		sql: `INSERT INTO tidemark.answers AS old (customer, name, document, recent) VALUES ($1, $2, $3, overlay($6::bytea PLACING $4 FROM $5))
			ON CONFLICT (customer, name) DO UPDATE SET document = excluded.document,
			recent = CASE length(old.recent) WHEN length($6::bytea) THEN overlay(old.recent PLACING $4 FROM $5) ELSE excluded.recent END`,
		args: []any{b.Customer, b.Table, string(document), taken, 1 + int(b.Header.Seq%cloud.KeptBatches)*len(taken), noBatches},
	}, err
}

// replay returns the answer that the last batch got.
func (c *session) replay(ctx context.Context, s state, customer, table string) (wire.Answer, error) {
	var document []byte
	err := c.QueryRow(ctx, "SELECT document FROM tidemark.answers WHERE customer = $1 AND name = $2", customer, table).Scan(&document)
	if err != nil {
		return wire.Answer{}, err
	}
	var a wire.Answer
	if err := json.Unmarshal(document, &a); err != nil {
		return wire.Answer{}, err
	}
	a.Version, a.Replayed = s.Version, true
	return a, nil
}
