package uploader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// enrollTries is how often a cloud that has too much to do is asked again.
const enrollTries = 5

// Enroll exchanges a one-time code for the key of a customer. Of the
// configuration the address, TLS, proxy, time-outs and transport are used. It
// tries again only where the cloud has done nothing: when it says that it is
// overloaded. A code that is not good is a *Stop.
func Enroll(ctx context.Context, c Config, code string) (wire.Enrolled, error) {
	const op = "exchange the code for a key"
	c.Customer, c.Key = "-", func() (string, error) { return "", nil } // not known yet
	base, err := c.prepare()
	if err != nil {
		return wire.Enrolled{}, err
	}
	transport := c.Transport
	if transport == nil {
		own, err := newTransport(c, base.Hostname())
		if err != nil {
			return wire.Enrolled{}, err
		}
		defer own.CloseIdleConnections()
		transport = own
	}
	client := &http.Client{
		Transport: transport, Timeout: c.Timeouts.Question,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	body, err := json.Marshal(wire.Enrollment{Code: code})
	if err != nil {
		return wire.Enrolled{}, fault.New(op, err, "")
	}
	for try := 1; ; try++ {
		got, err := enroll(ctx, client, base.JoinPath("v1", "enroll").String(), c.UserAgent, body)
		var f *failure
		if !errors.As(err, &f) {
			return got, fault.New(op, err, "")
		}
		var p *wire.Problem
		if busy := errors.As(f.err, &p) && p.Code == wire.Overloaded; !busy || try == enrollTries {
			return got, fault.New(op, f.err, f.hint)
		}
		if err := sleep(ctx, max(f.floor, time.Second)+jitter(c.Rand, time.Second)); err != nil {
			return got, fault.New(op, &endedError{err, f.err}, f.hint)
		}
	}
}

func enroll(ctx context.Context, client *http.Client, url, agent string, body []byte) (wire.Enrolled, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return wire.Enrolled{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", agent)
	answered, err := client.Do(r)
	if err != nil {
		return wire.Enrolled{}, &failure{err: err, hint: "Is the address right, and does a proxy (`--proxy`) or a firewall stand between? `--ca` (for init `--cloud-ca`) trusts a certificate of your own."}
	}
	defer func() { _ = answered.Body.Close() }()
	a := &reply{status: answered.StatusCode, header: answered.Header}
	if a.body, err = io.ReadAll(io.LimitReader(answered.Body, 64<<10)); err != nil {
		return wire.Enrolled{}, &failure{err: err, hint: "The code may have been used up: the operator makes another."}
	}
	p := a.problem()
	switch {
	case a.status == http.StatusOK:
		var got wire.Enrolled
		err := a.document(&got)
		if err == nil && (got.Customer == "" || got.Key == "") {
			err = errors.New("it lacks the customer or the key")
		}
		if err != nil {
			return got, notOurs(a, err)
		}
		return got, nil
	case p != nil && p.Code == wire.Overloaded:
		return wire.Enrolled{}, &failure{err: p, hint: p.Hint, floor: retryAfter(a.header, time.Now(), time.Minute)}
	case p != nil:
		return wire.Enrolled{}, fault.New("ask the cloud", &Stop{Scope: Customer, Problem: p, Err: p}, p.Hint)
	}
	return wire.Enrolled{}, notOurs(a, errors.New("it is no problem document"))
}
