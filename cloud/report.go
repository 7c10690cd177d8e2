package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tidemark/internal/wire"
)

// Reports is the part of a Store that keeps what sites tell of themselves: the
// last report of each customer.
type Reports interface {
	// PutReport replaces the customer's report; a problem NotFound for a
	// customer that does not exist.
	PutReport(ctx context.Context, r Report) error
	// Report returns the customer's; the zero Report when there is none.
	Report(ctx context.Context, customer string) (Report, error)
	// EachReport calls fn for every report received at since or later, in order
	// of customers. It holds one at a time; a page of all customers reads all
	// once and then those that came since. An error of fn ends it.
	EachReport(ctx context.Context, since time.Time, fn func(Report) error) error
}

// A Report is a customer's last one, as it is kept.
type Report struct {
	Customer string
	Received time.Time // by the server's clock, to the microsecond
	Document []byte    // JSON of a wire.Report that has passed its Check
}

// Read returns the document. Members that this program does not know are
// passed over.
func (r Report) Read() (wire.Report, error) {
	var doc wire.Report
	if err := json.Unmarshal(r.Document, &doc); err != nil {
		return doc, fmt.Errorf("the report of %s: %w", r.Customer, err)
	}
	return doc, nil
}

// putReport keeps a report and answers what the site would otherwise have to
// ask for: whether the cloud still holds what the site thinks it does.
func (s *Server) putReport(c *call) error {
	if len(c.body) > wire.MaxReport {
		return wire.NewProblem(wire.TooLarge, fmt.Sprintf("the report has %d bytes, the most is %d", len(c.body), wire.MaxReport), "Leave out tables that are well.")
	}
	var doc wire.Report
	if err := c.decodeKnown(&doc); err != nil { // a newer agent may tell more
		return err
	}
	if err := doc.Check(); err != nil {
		return malformed(err)
	}
	body, err := json.Marshal(doc) // what is not known is not kept
	if err != nil {
		return malformed(err) // a year that RFC 3339 has no form for
	}
	ctx := c.r.Context()
	if err := s.store.PutReport(ctx, Report{Customer: c.customer, Received: s.now().Truncate(time.Microsecond), Document: body}); err != nil {
		return err
	}
	v, tag, err := s.versions(ctx, c.customer, c.r.Header.Get(wire.HeaderVersions))
	if err != nil {
		return err
	}
	answer := wire.Reported{Tag: tag}
	if v != nil {
		answer.Tables = v.Tables
	}
	c.w.Header().Set("Cache-Control", "no-store")
	return c.answer(answer)
}
