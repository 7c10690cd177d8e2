package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tidemark/cloud/cost"
	"tidemark/internal/wire"
)

// postRows applies a batch of inserts and updates.
func (s *Server) postRows(c *call) error {
	return s.batch(c, func(k wire.BatchKind) bool { return k != wire.Delete }, s.store.Apply, rowSource)
}

// deleteRows deletes the keys in the body, or without a body all rows.
func (s *Server) deleteRows(c *call) error {
	if len(c.body) == 0 {
		return s.drop(c)
	}
	return s.batch(c, func(k wire.BatchKind) bool { return k == wire.Delete }, s.store.Delete, keySource)
}

// drop deletes all rows. The query names the writer, and may name the sequence
// number of the version that is meant.
func (s *Server) drop(c *call) error {
	q := c.r.URL.Query()
	d := Drop{Writer: wire.Writer{ID: q.Get("writer"), Name: q.Get("writer_name"), Run: q.Get("writer_run")}, TakeOver: q.Get("take_over") == "true"}
	if err := checkWriter(d.Writer); err != nil {
		return malformed(fmt.Errorf("query: %w", err))
	}
	if q.Has("seq") {
		seq, err := strconv.ParseUint(q.Get("seq"), 10, 64)
		if err != nil {
			return malformed(fmt.Errorf("query: seq: %w", err))
		}
		d.Seq = &seq
	}
	a, err := s.store.Drop(c.r.Context(), c.customer, c.table, d)
	if err != nil {
		return err
	}
	s.metrics.applied(wire.Delete, a)
	count(c, 0, a)
	return c.answer(a)
}

// batch reads the header, finds the schema, and hands the rows to the store.
func (s *Server) batch(c *call, kind func(wire.BatchKind) bool,
	apply func(context.Context, Batch) (wire.Answer, error),
	rows func([]byte, wire.Limits, int, wire.Schema) *source) error {
	h := *c.head
	if err := h.Check(); err != nil {
		return malformed(err)
	}
	if !kind(h.Kind) {
		return malformed(fmt.Errorf("a batch of kind %q does not come with %s", h.Kind, c.r.Method))
	}
	if err := s.checkHeader(h); err != nil {
		return err
	}
	schema, err := s.schemas.find(c.r.Context(), s.store, c.customer, c.table, h.Schema)
	if err != nil {
		return err
	}
	if err := checkColumns(h, schema); err != nil {
		return malformed(err)
	}
	src := rows(c.body, s.lineLimits(), h.Rows, schema)
	src.long = s.longLines(c)
	defer src.Close()
	a, err := apply(c.r.Context(), Batch{Customer: c.customer, Table: c.table, Header: h, Schema: schema, Rows: src, Now: s.now(), Request: c.id, Bytes: len(c.body)})
	if err != nil {
		return err
	}
	s.metrics.applied(h.Kind, a)
	count(c, h.Rows, a)
	return c.answer(a)
}

// count tells what a batch was, and what it changed.
func count(c *call, rows int, a wire.Answer) {
	changed := a.Inserted + a.Updated + a.Deleted
	if a.Replayed {
		changed = 0
	}
	cost.From(c.r.Context()).Rows(rows, changed)
}

func (s *Server) lineLimits() wire.Limits {
	return wire.Limits{Body: s.limits.Decompressed, Line: s.limits.Line}
}

// longLines waits for a place among the batches that hold a long line.
func (s *Server) longLines(c *call) func() (func(), error) {
	return func() (func(), error) { return s.long.enter(c.r.Context(), c.customer, 1) }
}

// header reads the header line of a body of lines.
func (s *Server) header(body []byte, into any) error {
	r, err := wire.NewBodyReader(bytes.NewReader(body), s.lineLimits())
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Header(into)
}

func (s *Server) tooMany(rows int) error {
	if rows <= s.limits.Rows {
		return nil
	}
	return wire.NewProblem(wire.TooLarge, fmt.Sprintf("%d rows in one body, the most is %d", rows, s.limits.Rows), "Send fewer rows in one batch.")
}

// checkHeader adds what the server wants of a header to what the wire wants.
func (s *Server) checkHeader(h wire.Header) error {
	if err := checkWriter(h.Writer); err != nil {
		return malformed(err)
	}
	for name, text := range map[string]*string{"epoch": &h.Epoch, "cursor": h.Cursor, "marks": h.Marks} {
		if text != nil && strings.ContainsRune(*text, 0) {
			return malformed(fmt.Errorf("%s holds the character U+0000", name))
		}
	}
	return s.tooMany(h.Rows)
}

func checkWriter(w wire.Writer) error {
	switch {
	case w.ID == "" || len(w.ID) > 128 || len(w.Name) > 256 || len(w.Run) > 64:
		return errors.New("writer needs an id of 1 to 128, a name of at most 256 and a run of at most 64 bytes")
	case strings.ContainsRune(w.ID+w.Name+w.Run, 0):
		return errors.New("writer holds the character U+0000")
	}
	return nil
}

func checkColumns(h wire.Header, schema wire.Schema) error {
	if h.Kind == wire.Delete {
		if len(h.Columns) != 0 {
			return errors.New("deletes name no columns: their lines hold the key")
		}
		return nil
	}
	if !slices.EqualFunc(h.Columns, schema.Columns, func(name string, c wire.Column) bool { return name == c.Name }) {
		return errors.New("columns are not those of the schema in its order")
	}
	return nil
}
