package sqlserver

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the chunks before took, a chunk stays within its limits.
func TestPaceStaysWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pace{target: DefaultQueryTime, bytes: DefaultChunkBytes, most: rapid.IntRange(1, DefaultChunkRows).Draw(t, "most")}
		for range rapid.IntRange(0, 50).Draw(t, "chunks") {
			n := p.next()
			if n < 1 || n > p.most {
				t.Fatalf("%d rows", n)
			}
			if rapid.Bool().Draw(t, "fails") {
				p.failed()
				continue
			}
			p.observe(n, rapid.IntRange(0, 1<<30).Draw(t, "bytes"), time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "took")))
			if p.next() > n*growthMost && p.next() > DefaultMinRows {
				t.Fatalf("from %d to %d rows at once", n, p.next())
			}
		}
	})
}

// On a server that takes the same time for every row, chunks come to take the
// time aimed at; where rows are large, to the bytes.
func TestPaceConverges(t *testing.T) {
	for _, tt := range []struct {
		perRow time.Duration
		bytes  int
		want   int
	}{
		{50 * time.Microsecond, 100, 10_000},
		{10 * time.Millisecond, 100, DefaultMinRows},
		{time.Nanosecond, 10, DefaultChunkRows},
		{time.Microsecond, 1 << 20, 3}, // of 4 MiB a little stays free
		{time.Microsecond, 100 << 20, 1},
	} {
		p := pace{target: DefaultQueryTime, bytes: DefaultChunkBytes, most: DefaultChunkRows}
		for range 20 {
			n := p.next()
			p.observe(n, n*tt.bytes, time.Duration(n)*tt.perRow)
		}
		if got := p.next(); got < tt.want*99/100 || got > tt.want {
			t.Errorf("%v and %d bytes a row: %d rows, want %d", tt.perRow, tt.bytes, got, tt.want)
		}
	}
}
