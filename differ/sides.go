package differ

import (
	"context"

	"tidemark/internal/wire"
)

// A Source is the table itself.
type Source interface {
	// Keys appends manifest lines, ["rv",key...], of the rows behind the
	// cursor ("" for the first) in an order of the source's own, and returns
	// the cursor behind them. done tells that there are no more.
	Keys(ctx context.Context, after string, out *wire.Lines) (next string, done bool, err error)
	// Lookup reads rows again by their keys, JSON arrays. It appends the full
	// row lines of those that are there, byte for byte, and tells what it found
	// for each key, in order; for the first one at least, so that it can bound
	// what it appends.
	Lookup(ctx context.Context, keys [][]byte, out *wire.Lines) ([]Found, error)
}

// Found is what became of a key that was looked up.
type Found byte

// What is found.
const (
	Gone     Found = iota // no row has the key
	There                 // its line was appended
	Unusable              // it is there, but cannot be sent
)

// A Cloud is the copy.
type Cloud interface {
	// Compare tells which manifest lines the cloud lacks or holds otherwise.
	Compare(ctx context.Context, lines wire.Lines) (wire.Comparison, error)
	// List appends a page of the cloud's manifest, lines of stamp and key, and
	// returns its header. After is "" for the first page.
	List(ctx context.Context, after string, out *wire.Lines) (wire.ListHeader, error)
	// Repair sends rows that were just read at the source.
	Repair(ctx context.Context, lines wire.Lines) (Repaired, error)
	// Delete sends guarded deletes, lines of stamp and key.
	Delete(ctx context.Context, lines wire.Lines) (deleted int, err error)
}

// Repaired says what became of rows sent.
type Repaired struct {
	Inserted int // the cloud lacked them
	Updated  int // the cloud held them otherwise, or had them by now
	Absent   int // could not be sent, and the cloud does not hold them in any version
	Held     int // could not be sent, and the cloud holds another version
}
