package cloud

import (
	"context"
	"errors"
	"time"
)

// Control is the part of a Store that keeps what operators decide: small
// documents, each with a revision, and the record of their changes.
type Control interface {
	// Documents returns all documents and the revision of them all; no
	// documents when that is known already. It reads one row then.
	Documents(ctx context.Context, known int64) (revision int64, all []Document, err error)
	// Change changes documents and records it, wholly or not at all; it
	// returns the revision that they then have. ErrChanged when one of them has
	// another revision than the one given.
	Change(ctx context.Context, c Change) (revision int64, err error)
	// Act has f do something that is no document's, and records c, which has
	// none, wholly or not at all: an error of f undoes both, and is returned.
	// F may be called again.
	Act(ctx context.Context, c Change, f func(Acts) error) error
	// Recorded returns changes, the newest first.
	Recorded(ctx context.Context, q RecordQuery) ([]Recorded, error)
	// DropRecorded removes what was recorded before a time, at most so many
	// entries at once, the oldest first, and returns how many.
	DropRecorded(ctx context.Context, before time.Time, most int) (int, error)
	// Datasets returns the names of all datasets, sorted.
	Datasets(ctx context.Context) ([]string, error)
	// Observe keeps what an instance sees, in place of what it saw before, and
	// returns by instance what was kept within fresh.
	Observe(ctx context.Context, instance, document string, fresh time.Duration) (map[string]string, error)
	// Observed returns by instance what was kept within fresh.
	Observed(ctx context.Context, fresh time.Duration) (map[string]string, error)
}

// ErrChanged says that a document was changed since it was read.
var ErrChanged = errors.New("it was changed by somebody else meanwhile")

// A Kind says what a document is.
type Kind string

// The kinds of documents.
const (
	KindPolicy  Kind = "policy"  // a wire.Policy; the name is a Scope
	KindGroup   Kind = "group"   // a group of customers
	KindRollout Kind = "rollout" // a rollout.Rollout
)

// A Document is one thing that operators change. Kind and Name tell it from
// others. Revisions rise with every change of any document, and never come
// back.
type Document struct {
	Kind     Kind
	Name     string
	Revision int64
	Body     string // JSON
}

// A Change replaces documents. Each has the revision that it was read with, 0
// for one that must not be there; an empty Body removes it. Without documents
// a change is only recorded, about Subject.
type Change struct {
	At        time.Time
	Who, Why  string
	Action    string // such as "rollout step"
	Subject   string // of a change without documents
	Documents []Document
}

// Recorded is one change of one document. Before and After are bodies; empty
// where there was, or is, none.
type Recorded struct {
	Revision      int64
	At            time.Time
	Who, Why      string
	Action        string
	Subject       string // "rollout orders"
	Before, After string
}

// SubjectOf names a document in the record.
func SubjectOf(k Kind, name string) string {
	if name == "" {
		name = "fleet"
	}
	return string(k) + " " + name
}

// A RecordQuery selects changes. Zero values select all.
type RecordQuery struct {
	Since, Until time.Time
	Subject      string // this one, or those that begin with it and a space
	Most         int
}
