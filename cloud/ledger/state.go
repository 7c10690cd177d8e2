package ledger

import (
	"fmt"
	"time"

	"tidemark/internal/wire"
)

// A State is a version with what the cloud keeps beside it. The zero State,
// with a schema, is that of a table that was registered and never written.
type State struct {
	Version     wire.Version
	EpochNumber int64     // of the rows written now; grows with every epoch; 0 before the first
	Batch       string    // ID of the last batch applied; "" before the first
	WriterSince time.Time // when Version.Writer claimed the table
}

// Admit decides about a batch. It returns the state after it (but for
// Version.Rows, which the store counts), or replay true when the batch was
// the last one applied: then its answer is given again and nothing changes.
// The error is a *wire.Problem with the version.
func (s State) Admit(h wire.Header, now time.Time) (next State, replay bool, err error) {
	v := s.Version
	if h.Seq == v.Seq && h.ID == s.Batch {
		return s, true, nil
	}
	if next, err = s.claim(h.Writer, h.TakeOver, now); err != nil {
		return s, false, err
	}
	start := h.Kind == wire.Load && h.Start
	switch {
	case h.Seq != v.Seq+1:
		return s, false, s.problem(wire.WrongSequence, fmt.Sprintf("batch %d cannot follow, the table is at %d", h.Seq, v.Seq),
			"Go on from the version in this answer.")
	case h.Schema != v.Schema:
		return s, false, s.problem(wire.SchemaChanged, fmt.Sprintf("the batch was made for schema %s, registered is %s", h.Schema, v.Schema),
			"Register the schema, then make the batch anew.")
	case !start && h.Epoch != v.Epoch:
		return s, false, s.problem(wire.WrongEpoch, fmt.Sprintf("the batch is of epoch %q, the table of %q", h.Epoch, v.Epoch),
			"Only a load that starts begins an epoch.")
	case h.Kind == wire.Delta && !v.Loaded:
		return s, false, s.problem(wire.WrongEpoch, "a delta came before the load was complete", "Complete the load of this epoch first.")
	}
	if start {
		next.start(h.Epoch)
	}
	next.Batch, next.Version.Seq = h.ID, h.Seq
	next.advance(h)
	return next, false, nil
}

// start begins a load, and an epoch when it is another one.
func (s *State) start(epoch string) {
	v := &s.Version
	if v.Epoch != epoch {
		v.Epoch, v.Watermark = epoch, 0
		s.EpochNumber++
	}
	v.Loaded, v.Cursor = false, ""
}

// advance moves what the header moves. A watermark means that every row up to
// it is here, so that before the load is complete there is none to move.
func (s *State) advance(h wire.Header) {
	v := &s.Version
	if h.Complete {
		v.Loaded, v.Cursor = true, ""
	}
	if h.Watermark != nil && v.Loaded && *h.Watermark > v.Watermark {
		v.Watermark = *h.Watermark
	}
	if h.Cursor != nil {
		v.Cursor = *h.Cursor
	}
	if h.Marks != nil {
		v.Marks = *h.Marks
	}
}

// claim returns the state with w as its writer, or the problem SecondWriter.
func (s State) claim(w wire.Writer, takeOver bool, now time.Time) (State, error) {
	switch held := s.Version.Writer; {
	case held.ID == w.ID:
	case held.ID == "" || takeOver:
		s.WriterSince = now
	default:
		return s, s.problem(wire.SecondWriter,
			fmt.Sprintf("the table is written by %q (%s) since %s", held.Name, held.ID, s.WriterSince.UTC().Format(time.RFC3339)),
			"Stop one of the two agents. If the other is gone for good, release the table at the cloud or take it over.")
	}
	s.Version.Writer = w
	return s, nil
}

// AdmitManifest checks that a manifest is for the table as it is. The error
// is a *wire.Problem with the version.
func (s State) AdmitManifest(h wire.ManifestHeader) error {
	switch v := s.Version; {
	case h.Schema != v.Schema:
		return s.problem(wire.SchemaChanged, fmt.Sprintf("the manifest was made for schema %s, registered is %s", h.Schema, v.Schema),
			"Register the schema, then compare anew.")
	case h.Epoch != v.Epoch:
		return s.problem(wire.WrongEpoch, fmt.Sprintf("the manifest is of epoch %q, the table of %q", h.Epoch, v.Epoch),
			"Only a load that starts begins an epoch.")
	}
	return nil
}

// Register returns the state after another schema was registered. Reload says
// that the rows held cannot answer for it: then they count as those of an
// epoch before, and the load begins anew.
func (s State) Register(fingerprint string, reload bool) State {
	if s.Version.Schema == fingerprint {
		return s
	}
	s.Version.Schema = fingerprint
	if reload && s.EpochNumber > 0 {
		s.EpochNumber++
		s.Version.Loaded, s.Version.Cursor = false, ""
	}
	return s
}

// Drop returns the state after which the rows may be deleted, those of epochs
// numbered up to EpochNumber: the store takes them off Version.Rows as they
// go. Numbers go on, so that a row that is left is never taken for one of the
// next epoch. The error is a *wire.Problem with the version.
func (s State) Drop(w wire.Writer, takeOver bool, seq *uint64, now time.Time) (State, error) {
	next, err := s.claim(w, takeOver, now)
	if err != nil {
		return s, err
	}
	if seq != nil && *seq != s.Version.Seq {
		return s, s.problem(wire.WrongSequence, fmt.Sprintf("batch %d is not the table's last, it is at %d", *seq, s.Version.Seq),
			"Go on from the version in this answer.")
	}
	next.Batch = ""
	next.Version = wire.Version{Rows: s.Version.Rows, Schema: s.Version.Schema, Writer: next.Version.Writer}
	return next, nil
}

// Release returns the state without a writer.
func (s State) Release() State {
	s.Version.Writer, s.WriterSince = wire.Writer{}, time.Time{}
	return s
}

func (s State) problem(code wire.Code, detail, hint string) *wire.Problem {
	p := wire.NewProblem(code, detail, hint)
	p.Version = &s.Version
	return p
}
