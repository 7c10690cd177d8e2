package uploader

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A class of requests, by what they move.
type class int

const (
	question class = iota // versions, policy, schemas: at any time
	rows                  // batches: in windows
	diff                  // manifests: in windows, and refused first
)

// A request is what one call sends, the same bytes each time.
type request struct {
	op     string // for people: "send 1000 rows of dbo.orders"
	class  class
	table  string // "" when it is about the customer
	method string
	path   []string // behind /v1/customers/{customer}
	query  url.Values
	header http.Header
	body   []byte
	accept func(*reply) error // reads a good answer; an error means that it is none
	may    bool               // a cloud need not know it: then the error is ErrNoReports
	id     string             // of the attempt that was made last
}

// A failure is worth another try.
type failure struct {
	err   error
	hint  string
	where where
	floor time.Duration // Retry-After
	slow  bool          // the body did not arrive in time although it moved
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// where is whom a failure holds back.
type where int

const (
	everywhere where = iota // all calls
	inClass                 // calls of the class
	alone                   // this call
)

// How often a body may be too slow before the caller is told, and the size
// below which no body is too large.
const (
	slowTries  = 3
	smallBytes = 64 << 10
)

// call sends the request until it is answered, cannot be, or ctx ends.
func (c *Client) call(ctx context.Context, r *request) error {
	ctx, end, err := c.begin(ctx)
	if err != nil {
		return fault.New(r.op, err, "")
	}
	defer end()
	own := newPacer(c.config.Retry, c.config.Rand)
	slow := 0
	var last *failure
	for {
		err := c.try(ctx, r)
		if ended := context.Cause(ctx); err != nil && ended != nil {
			return r.ended(ended, last)
		}
		if !errors.As(err, &last) {
			return err
		}
		if last.slow && len(r.body) > smallBytes {
			slow++
		}
		if slow >= slowTries {
			p := wire.NewProblem(wire.TooLarge, "it does not arrive in time over this link", "Send fewer rows in one batch.")
			return fault.New(r.op, &TooLarge{Bytes: len(r.body), Problem: p}, p.Hint)
		}
		floor := last.floor
		if last.where != alone {
			floor = 0 // the gate keeps it
		}
		if sleep(ctx, own.next(floor)) != nil {
			return r.ended(context.Cause(ctx), last)
		}
	}
}

// ended is the error of a call whose context has ended; it tells why it had
// not been answered until then.
func (r *request) ended(cause error, last *failure) error {
	if last == nil {
		return fault.New(r.op, cause, "")
	}
	return fault.New(r.op, &endedError{cause, last.err}, last.hint)
}

type endedError struct{ cause, last error }

func (e *endedError) Error() string   { return e.cause.Error() + "; before: " + e.last.Error() }
func (e *endedError) Unwrap() []error { return []error{e.cause, e.last} }

// try sends the request once, when window and gates allow it. The error is a
// *failure when another try is worth it.
func (c *Client) try(ctx context.Context, r *request) error {
	if err := c.window(ctx, r); err != nil {
		return err
	}
	if r.class == diff {
		p, err := c.diffs.enter(ctx)
		if err != nil {
			return err
		}
		defer c.diffs.abandon(p)
		err = c.pass(ctx, r)
		c.settle(ctx, c.diffs, p, err, inClass)
		return err
	}
	return c.pass(ctx, r)
}

func (c *Client) pass(ctx context.Context, r *request) error {
	p, err := c.shared.enter(ctx)
	if err != nil {
		return err
	}
	defer c.shared.abandon(p)
	key, err := c.config.Key()
	if err != nil {
		stop := &Stop{Scope: Customer, Err: fault.New("read the key of the cloud", err, "Check cloud.key in the configuration.")}
		c.refuse("", stop, "")
		return fault.New(r.op, stop, "")
	}
	if err := c.admit(r.op, key); err != nil {
		return err
	}
	err = c.doubt(key, c.attempt(ctx, r, key))
	c.settle(ctx, c.shared, p, err, everywhere)
	var stop *Stop
	switch f := (*failure)(nil); {
	case errors.As(err, &stop) && stop.Scope == Customer:
		c.refuse(key, stop, fault.Hint(err))
	case !errors.As(err, &f) && ctx.Err() == nil:
		c.meter.answered()
		c.accept()
	}
	return err
}

// settle tells a gate what became of a try.
func (c *Client) settle(ctx context.Context, g *gate, p *pass, err error, scope where) {
	var f *failure
	switch failed := errors.As(err, &f); {
	case ctx.Err() != nil:
		g.abandon(p)
	case failed && f.where == scope:
		g.fail(p, fault.New("reach the cloud", f.err, f.hint), f.floor)
	case failed && f.where == everywhere: // not for this gate to judge
		g.abandon(p)
	default:
		g.succeed(p)
	}
}

// window waits until rows may move.
func (c *Client) window(ctx context.Context, r *request) error {
	for r.class != question && !c.config.Window() {
		if err := sleep(ctx, 15*time.Second+jitter(c.config.Rand, 15*time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
