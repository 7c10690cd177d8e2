package uploader

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidemark/internal/fault"
)

// Config of a Client. BaseURL, Customer and Key are needed; zero values of
// all else are usable.
type Config struct {
	BaseURL   string // http or https, without the /v1; a path in front of it is kept
	Customer  string
	Key       func() (string, error) // the bearer key, asked for every request, so that it can change
	UserAgent string

	TLS   TLS
	Proxy string // "" or "system": HTTPS_PROXY, HTTP_PROXY and NO_PROXY; "none"; or a URL (http, https, socks5)

	BandwidthBytesPerSecond int64       // of bodies sent, over all tables; 0 means no limit
	Window                  func() bool // may rows and manifests move now? nil means always

	Timeouts  Timeouts
	Retry     Retry
	MaxAnswer int64 // bytes of an answer, decompressed; 0 means 64 MiB

	Observer  func(State)       // told of changes; must neither block nor call the client. May be nil.
	Transport http.RoundTripper // replaces the client's own, with TLS, Proxy and the connection timeouts; for tests
	Rand      func() float64    // in [0, 1); nil means math/rand/v2
}

// Timeouts bound every wait for the network. Zero values mean the defaults.
type Timeouts struct {
	Connect  time.Duration // TCP, 15 s
	TLS      time.Duration // handshake, 15 s
	Stall    time.Duration // no byte of the body moves, 1 min
	Question time.Duration // a request without rows, 1 min
	Work     time.Duration // a request with rows, besides the time that its body takes at the bandwidth limit, 8 min
}

// Retry paces repetitions. Zero values mean the defaults.
type Retry struct {
	Initial time.Duration // first wait at most, 1 s
	Max     time.Duration // later waits at most, 10 min
	Spread  time.Duration // after a long outage sites come back over at most this, 30 min
	Doubt   time.Duration // after the first refusal of a key, 2 s
	Refused time.Duration // between tries while the key is refused, 5 min
	After   time.Duration // Retry-After is believed up to this, 1 h
}

func (c *Config) prepare() (*url.URL, error) {
	const op = "configure the cloud client"
	t, r := &c.Timeouts, &c.Retry
	t.Connect = cmp.Or(t.Connect, 15*time.Second)
	t.TLS = cmp.Or(t.TLS, 15*time.Second)
	t.Stall = cmp.Or(t.Stall, time.Minute)
	t.Question = cmp.Or(t.Question, time.Minute)
	t.Work = cmp.Or(t.Work, 8*time.Minute)
	r.Initial = cmp.Or(r.Initial, time.Second)
	r.Max = cmp.Or(r.Max, 10*time.Minute)
	r.Spread = cmp.Or(r.Spread, 30*time.Minute)
	r.Doubt = cmp.Or(r.Doubt, 2*time.Second)
	r.Refused = cmp.Or(r.Refused, 5*time.Minute)
	r.After = cmp.Or(r.After, time.Hour)
	c.MaxAnswer = cmp.Or(c.MaxAnswer, 64<<20)
	c.UserAgent = cmp.Or(c.UserAgent, "tidemark")
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Observer == nil {
		c.Observer = func(State) {}
	}
	if c.Window == nil {
		c.Window = func() bool { return true }
	}
	if c.Key == nil || c.Customer == "" {
		return nil, fault.New(op, errors.New("a customer and a key are needed"), "")
	}
	u, err := url.Parse(c.BaseURL)
	if err == nil && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		err = fmt.Errorf("%q is not an address such as https://cloud.example.com", u.Redacted())
	}
	if err != nil {
		return nil, fault.New(op, err, "cloud.url is http:// or https://, a host and perhaps a path, without /v1.")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}
