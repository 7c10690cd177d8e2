package wire

import (
	"errors"
	"fmt"
)

// ContentType is the media type of a list of rows: NDJSON in a zstd frame is
// announced with "Content-Encoding: zstd" beside it.
const ContentType = "application/x-ndjson"

// Header names that the API adds to HTTP's own.
const (
	HeaderRequestID = "Tidemark-Request-Id" // in both directions, for logs
	HeaderPolicy    = "Tidemark-Policy"     // in answers: the policy's current ETag
	HeaderLease     = "Tidemark-Lease"      // in answers: see Lease
	HeaderVersions  = "Tidemark-Versions"   // with a report: the ETag of the versions that the agent knows
)

// A BatchKind says what a batch does.
type BatchKind string

// The kinds of a batch. A repair inserts and updates like a delta, moves no
// watermark, and is the result of a diff.
const (
	Load   BatchKind = "load"
	Delta  BatchKind = "delta"
	Repair BatchKind = "repair"
	Delete BatchKind = "delete"
)

// A Header is the first line of a batch.
//
// Seq is one more than the version's. A batch with the version's own Seq and
// ID has been applied before: it is answered again, not applied again. Any
// other Seq is a conflict.
type Header struct {
	Protocol  int       `json:"v"`
	Kind      BatchKind `json:"kind"`
	Seq       uint64    `json:"seq,string"`
	ID        string    `json:"batch"` // 32 hexadecimal digits, random
	Writer    Writer    `json:"writer"`
	TakeOver  bool      `json:"take_over,omitempty"` // replace the writer that the cloud holds
	Epoch     string    `json:"epoch"`
	Schema    string    `json:"schema"`                     // fingerprint
	Columns   []string  `json:"columns,omitempty"`          // all columns of the schema, in its order; none for deletes, whose lines hold the key
	Rows      int       `json:"rows"`                       // lines that follow
	Watermark *uint64   `json:"watermark,string,omitempty"` // the watermark after this batch
	Cursor    *string   `json:"cursor,omitempty"`           // the cursor after this batch
	Marks     *string   `json:"marks,omitempty"`            // the marks after this batch
	Start     bool      `json:"start,omitempty"`            // load: begins, the version is not loaded from here on
	Complete  bool      `json:"complete,omitempty"`         // load: ends, Watermark is set
}

// Check reports the first thing that is wrong with the header, or nil. It
// knows the table's schema only by its fingerprint.
func (h Header) Check() error {
	switch {
	case h.Protocol != Protocol:
		return OtherProtocol(h.Protocol, Protocol)
	case h.Kind != Load && h.Kind != Delta && h.Kind != Repair && h.Kind != Delete:
		return fmt.Errorf("kind %q is not known", h.Kind)
	case h.Seq == 0:
		return errors.New("seq begins at 1")
	case !isHex(h.ID, 32):
		return errors.New("batch is not 32 hexadecimal digits")
	case h.Writer.ID == "" || len(h.Writer.ID) > 128 || len(h.Writer.Name) > 256 || len(h.Writer.Run) > 64:
		return errors.New("writer needs an id of 1 to 128, a name of at most 256 and a run of at most 64 bytes")
	case h.Epoch == "" || len(h.Epoch) > MaxEpoch:
		return fmt.Errorf("epoch has 1 to %d bytes", MaxEpoch)
	case h.Rows < 0:
		return errors.New("rows is negative")
	case h.Cursor != nil && len(*h.Cursor) > MaxCursor:
		return fmt.Errorf("cursor is over %d bytes", MaxCursor)
	case h.Marks != nil && len(*h.Marks) > MaxMarks:
		return fmt.Errorf("marks are over %d bytes", MaxMarks)
	case (h.Start || h.Complete) && h.Kind != Load:
		return fmt.Errorf("a batch of kind %q neither starts nor completes a load", h.Kind)
	case h.Complete && h.Watermark == nil:
		return errors.New("a load completes with a watermark")
	case (h.Kind == Repair || h.Kind == Delete) && h.Watermark != nil:
		return fmt.Errorf("a batch of kind %q moves no watermark", h.Kind)
	}
	return nil
}

func isHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// An Answer says what became of a batch.
type Answer struct {
	Version   Version   `json:"version"`
	Inserted  int       `json:"inserted"`
	Updated   int       `json:"updated"`
	Unchanged int       `json:"unchanged"` // already there in the same row version
	Deleted   int       `json:"deleted"`
	Guarded   int       `json:"guarded"` // not deleted: gone, or in another row version by now
	Refused   []Refusal `json:"refused,omitempty"`
	Replayed  bool      `json:"replayed,omitempty"` // the batch had been applied before
	Request   string    `json:"-"`                  // the ID of the request that it answers, as the client knows it
}

// A Refusal names one row that the cloud did not take. The rest of its batch
// was applied.
type Refusal struct {
	Row     int    `json:"row"` // index of its line, from 0
	Column  string `json:"column,omitempty"`
	Reason  string `json:"reason"`
	Present bool   `json:"present"` // the cloud holds an older version of the row
}
