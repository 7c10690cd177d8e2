package uploader

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// attempt sends the request once. Every wait in it has a deadline. An error
// names the request, where the cloud may know of it.
func (c *Client) attempt(ctx context.Context, r *request, key string) error {
	id, reached := requestID(), new(atomic.Bool)
	r.id = id
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { reached.Store(true) }})
	err := c.send(ctx, r, key, id)
	if err != nil && ctx.Err() == nil && reached.Load() {
		return named(err, id)
	}
	return err
}

func (c *Client) send(ctx context.Context, r *request, key, id string) error {
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deadline := time.AfterFunc(c.deadline(r), func() { cancel(errDeadline) })
	defer deadline.Stop()

	u := c.base.JoinPath(escaped(append([]string{"v1", "customers", c.config.Customer}, r.path...))...)
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), nil)
	if err != nil { // the parts have been checked
		return fmt.Errorf("%s: %w", r.op, err)
	}
	maps.Copy(req.Header, r.header)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", c.config.UserAgent)
	req.Header.Set(wire.HeaderRequestID, id)
	var sending atomic.Pointer[payload]
	if r.body != nil {
		// The transport may let go of it later, and the body's memory is used again.
		defer func() { _ = sending.Load().Close() }()
		stalled := time.AfterFunc(c.config.Timeouts.Stall, func() { cancel(errStalled) })
		defer stalled.Stop()
		req.ContentLength = int64(len(r.body))
		req.GetBody = func() (io.ReadCloser, error) {
			p := &payload{ctx: ctx, limiter: c.limiter, stall: c.config.Timeouts.Stall, stalled: stalled, rest: r.body}
			if before := sending.Swap(p); before != nil {
				_ = before.Close()
			}
			return p, nil
		}
		req.Body, _ = req.GetBody() // cannot fail
	}
	c.meter.sent(len(r.body))
	resp, err := c.http.Do(req)
	if err == nil {
		defer resp.Body.Close()
		var body []byte
		body, err = io.ReadAll(io.LimitReader(resp.Body, c.config.MaxAnswer+1))
		c.meter.received(len(body))
		if err == nil {
			return c.judge(r, &reply{resp.StatusCode, resp.Header, body})
		}
	}
	if outer.Err() != nil {
		return outer.Err()
	}
	return broken(ctx, err, allSent(&sending))
}

// broken is the failure of a connection.
func broken(ctx context.Context, err error, sent bool) *failure {
	if cause := context.Cause(ctx); cause != nil {
		// Bytes moved, or it had stalled before: the body is too much.
		slow := errors.Is(cause, errDeadline) && !sent
		return &failure{err: cause, hint: hintOf(cause), slow: slow}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // the address adds nothing
	}
	return &failure{err: err, hint: hintOf(err)}
}

// deadline is how long one attempt may take.
func (c *Client) deadline(r *request) time.Duration {
	d := c.config.Timeouts.Question
	if r.class != question {
		d = c.config.Timeouts.Work
	}
	if c.limiter != nil { // shared by all: four bodies at once is what an agent has
		d += time.Duration(4 * float64(len(r.body)) / float64(c.limiter.Limit()) * float64(time.Second))
	}
	return d
}

func allSent(p *atomic.Pointer[payload]) bool {
	body := p.Load()
	return body == nil || body.sent()
}

// escaped makes each part one segment of a path.
func escaped(parts []string) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = url.PathEscape(p)
	}
	return out
}

// A namedError is one of a request that the cloud's log may have under an ID.
type namedError struct {
	err error
	id  string
}

// Error has the ID at its end.
func (e *namedError) Error() string { return e.err.Error() + " [request " + e.id + "]" }

// Unwrap returns the error itself.
func (e *namedError) Unwrap() error { return e.err }

// named puts a request's ID into a new error, at its cause, so that the text
// has it where it ends.
func named(err error, id string) error {
	switch e := err.(type) { //nolint:errorlint // what send has just made
	case *failure:
		e.err = &namedError{e.err, id}
	case *fault.Error:
		e.Err = &namedError{e.Err, id}
	}
	return err
}

// requestID is what the cloud's log and this site's problem have in common.
func requestID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails (package documentation)
	return hex.EncodeToString(b)
}

// lines reads the answer as lines with a header.
func (r *reply) lines(limit int64) (*wire.BodyReader, error) {
	if r.header.Get("Content-Encoding") != "zstd" {
		return nil, fmt.Errorf("it is not encoded as zstd but as %q", r.header.Get("Content-Encoding"))
	}
	return wire.NewBodyReader(bytes.NewReader(r.body), wire.Limits{Body: limit, Line: int(limit)})
}
