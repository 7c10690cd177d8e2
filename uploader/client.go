package uploader

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/time/rate"

	"tidemark/internal/wire"
)

// A Client speaks to the cloud API for one customer. It is safe for concurrent
// use. Its memory is what its callers hand it, an answer for each call, and two
// bodies of at most 4 MiB.
type Client struct {
	config  Config
	base    *url.URL
	http    *http.Client
	limiter *rate.Limiter // nil: no limit
	shared  *gate         // of all calls
	diffs   *gate         // of comparisons besides, which the cloud refuses first

	closing context.Context
	close   context.CancelCauseFunc
	calls   sync.WaitGroup
	meter   meter
	bodies  bodies

	mu       sync.Mutex
	closed   bool
	state    State
	refusal  refusal
	doubted  doubted
	versions tagged[wire.Versions]
	policy   tagged[wire.Policy]
	tag      string // of the policy, as last told
	lease    Lease
	clock    Clock
}

// tagged is a document with its ETag.
type tagged[T any] struct {
	tag string
	doc T
}

// New returns a client. It makes no request.
func New(c Config) (*Client, error) {
	base, err := c.prepare()
	if err != nil {
		return nil, err
	}
	transport := c.Transport
	if transport == nil {
		if transport, err = newTransport(c, base.Hostname()); err != nil {
			return nil, err
		}
	}
	client := &Client{
		config: c,
		base:   base,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: newLimiter(c.BandwidthBytesPerSecond),
		bodies:  make(bodies, keptBodies),
	}
	client.shared = newGate(newPacer(c.Retry, c.Rand), c.Retry.Spread, client.away)
	client.diffs = newGate(newPacer(c.Retry, c.Rand), c.Retry.Spread, func(State) {})
	client.closing, client.close = context.WithCancelCause(context.Background())
	return client, nil
}

// Close ends all calls, waits for them and closes the connections. It may be
// called more than once; its error is always nil.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.close(errClosed)
	c.calls.Wait()
	c.http.CloseIdleConnections()
	return nil
}

// begin registers a call, whose context ends with the client's.
func (c *Client) begin(ctx context.Context) (context.Context, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, errClosed
	}
	c.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.closing, func() { cancel(errClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
		c.calls.Done()
	}, nil
}

// State returns how the cloud stands.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.Clock = c.clock
	return s
}

// away tells the observer what the gate says.
func (c *Client) away(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Refused = c.state.Refused
	c.state = s
	c.config.Observer(s)
}
