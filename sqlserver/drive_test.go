package sqlserver_test

import (
	"bytes"
	"context"
	"testing"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// chunkFunc reads one chunk behind a cursor.
type chunkFunc func(ctx context.Context, after sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error)

// all reads chunk after chunk until done and returns the lines. Every chunk is
// held against what chunks promise.
func all(t *testing.T, read chunkFunc) []string {
	t.Helper()
	lines, _ := chunks(t, read)
	return lines
}

func chunks(t *testing.T, read chunkFunc) (lines []string, got []sqlserver.Chunk) {
	t.Helper()
	var at sqlserver.Cursor
	for range 100_000 {
		var out wire.Lines
		c, err := read(t.Context(), at, &out)
		if err != nil {
			t.Fatalf("behind %q: %v", at, err)
		}
		if c.Rows != out.N || bytes.Count(out.Buf, []byte("\n")) != out.N {
			t.Fatalf("chunk of %d rows has %d lines", c.Rows, out.N)
		}
		if len(c.Next) > wire.MaxCursor {
			t.Fatalf("cursor of %d bytes", len(c.Next))
		}
		for line := range bytes.Lines(out.Buf) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			if _, err := wire.SplitRow(line, nil); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			lines = append(lines, string(line))
		}
		got = append(got, c)
		if c.Done {
			return lines, got
		}
		if c.Next == at {
			t.Fatalf("the chunk behind %q moves nothing", at)
		}
		at = c.Next
	}
	t.Fatal("no end")
	return nil, nil
}

// delta is a chunkFunc for the rows in (from, ceiling].
func delta(r *sqlserver.Reader, from, ceiling uint64) chunkFunc {
	return func(ctx context.Context, after sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error) {
		return r.Delta(ctx, from, ceiling, after, out)
	}
}

// values cuts the row version off a line.
func values(line string) string { return line[bytes.IndexByte([]byte(line), ',')+1 : len(line)-1] }

// probe looks at the source.
func probe(t *testing.T, s *sqlserver.Source, tables ...*sqlserver.Table) sqlserver.Probe {
	t.Helper()
	p, err := s.Probe(t.Context(), tables)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines is wire.Lines with what tests ask of them.
type lines struct{ wire.Lines }

func (l *lines) list() []string {
	var list []string
	for line := range bytes.Lines(l.Buf) {
		list = append(list, string(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return list
}
