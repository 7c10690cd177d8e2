package uploader

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// ErrNoReports is found in the error of Report for a cloud that takes none.
var ErrNoReports = errors.New("the cloud takes no reports")

// A Lease is what the cloud said last of how long versions hold.
type Lease struct {
	wire.Lease
	Told time.Time // zero: it said nothing
}

// Lease returns the lease as last told, in whatever answer.
func (c *Client) Lease() Lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lease
}

// Report tells how the site stands, and returns the versions of all tables as
// Versions does. When they are what they were, the answer is one line.
func (c *Client) Report(ctx context.Context, report wire.Report) (wire.Versions, error) {
	const op = "report how the site stands"
	body, err := json.Marshal(report)
	if err != nil {
		return wire.Versions{}, fault.New(op, err, "")
	}
	c.mu.Lock()
	old := c.versions
	c.mu.Unlock()
	r := &request{op: op, method: http.MethodPut, path: []string{"report"}, body: body, may: true,
		header: http.Header{"Content-Type": {"application/json"}}}
	if old.tag != "" {
		r.header.Set(wire.HeaderVersions, old.tag)
	}
	fresh := old
	r.accept = func(a *reply) error {
		var doc wire.Reported
		if err := a.document(&doc); err != nil {
			return err
		}
		if doc.Tag == "" {
			return errors.New("it has no tag")
		}
		if doc.Tag != old.tag {
			fresh = tagged[wire.Versions]{doc.Tag, wire.Versions{Tables: doc.Tables}}
		}
		return nil
	}
	if err := c.call(ctx, r); err != nil {
		return wire.Versions{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions = fresh
	return wire.Versions{Tables: maps.Clone(fresh.doc.Tables)}, nil
}
