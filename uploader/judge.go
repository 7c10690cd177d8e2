package uploader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// judge says what an answer means: nil, a *failure that is worth another try,
// or what the caller is told.
func (c *Client) judge(r *request, a *reply) error {
	if int64(len(a.body)) > c.config.MaxAnswer {
		return notOurs(a, fmt.Errorf("it is over %d bytes", c.config.MaxAnswer))
	}
	c.note(a)
	p := a.problem()
	switch {
	case a.status == http.StatusOK || a.status == http.StatusNotModified && r.header.Get("If-None-Match") != "":
		if err := r.accept(a); err != nil {
			return notOurs(a, err)
		}
		return nil
	case r.may && (a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented):
		return fault.New(r.op, ErrNoReports, "")
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		stop := &Stop{Scope: Customer, Problem: p, Err: causeOf(p, a)}
		return fault.New(r.op, stop, hintOr(p, "Check cloud.key and customer; the operator can issue a new key."))
	case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
		f := &failure{err: causeOf(p, a), hint: hintOr(p, ""), floor: retryAfter(a.header, time.Now(), c.config.Retry.After)}
		if p != nil && r.class == diff {
			f.where = inClass
		}
		return f
	case a.status == http.StatusRequestTimeout:
		return &failure{err: causeOf(p, a), hint: hintOr(p, "The link may be too slow, or something in between cuts it."), where: alone, slow: true}
	case a.status == http.StatusRequestEntityTooLarge && r.body != nil:
		if p == nil || p.Code != wire.TooLarge {
			p = wire.NewProblem(wire.TooLarge, "something in front of the cloud refuses the size: "+causeOf(p, a).Error(), "The operator can raise the limit of the proxy.")
		}
		return fault.New(r.op, &TooLarge{Bytes: len(r.body), Problem: p}, p.Hint)
	case a.status == http.StatusProxyAuthRequired:
		return &failure{err: causeOf(nil, a), hint: "The proxy wants a user and a password: set them in cloud.proxy."}
	case p == nil && a.status >= 500:
		return &failure{err: causeOf(nil, a), hint: "The cloud, or what stands in front of it, has failed; the operator knows more."}
	case p == nil:
		return notOurs(a, errors.New("it is no problem document"))
	case a.status == http.StatusConflict:
		return fault.New(r.op, &Conflict{p}, p.Hint)
	case a.status >= 500:
		return &failure{err: p, hint: p.Hint, where: alone}
	case a.status >= 400 && r.table != "":
		return fault.New(r.op, &Stop{Scope: Table, Table: r.table, Problem: p, Err: p}, p.Hint)
	case a.status >= 400:
		return fault.New(r.op, &Stop{Scope: Customer, Problem: p, Err: p}, p.Hint)
	}
	return notOurs(a, errors.New("its status is none of the API's"))
}

// notOurs is the failure of an answer that did not come from the API: from a
// captive portal, a proxy, or an address that is wrong.
func notOurs(a *reply, why error) *failure {
	hint := "Something between here and the cloud answers in its place (a proxy, a login page), or cloud.url is not the API's address."
	if a.status >= 300 && a.status < 400 {
		if to := a.header.Get("Location"); to != "" {
			hint = fmt.Sprintf("The address answers with a redirect, which is not followed because the key would go along: set cloud.url to where it leads (%.200s) if that is the API.", to)
		}
	}
	return &failure{err: fmt.Errorf("the answer is not the cloud's: %w (status %d, %s)", why, a.status, a.kind()), hint: hint}
}

// causeOf is the problem, or the status where there is none.
func causeOf(p *wire.Problem, a *reply) error {
	if p != nil {
		return p
	}
	return fmt.Errorf("status %d %s (%s)", a.status, http.StatusText(a.status), a.kind())
}

func hintOr(p *wire.Problem, hint string) string {
	if p != nil && p.Hint != "" {
		return p.Hint
	}
	return hint
}

// kind is the media type of the answer.
func (r *reply) kind() string {
	kind, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil {
		return "no media type"
	}
	return kind
}

// problem returns the problem document, or nil when the answer is none.
func (r *reply) problem() *wire.Problem {
	var p wire.Problem
	ours := r.kind() == wire.ProblemType && json.Unmarshal(r.body, &p) == nil
	if !ours || p.Code == "" || p.Status != r.status {
		return nil
	}
	return &p
}

// document reads a JSON document. Unknown fields are allowed: a newer cloud
// may say more.
func (r *reply) document(into any) error {
	if r.kind() != "application/json" {
		return fmt.Errorf("it is %s, not application/json", r.kind())
	}
	d := json.NewDecoder(bytes.NewReader(r.body))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value in it")
	}
	return nil
}

// note remembers the policy's ETag and the lease that every answer of the API
// carries.
func (c *Client) note(a *reply) {
	lease, leased := wire.ParseLease(a.header.Get(wire.HeaderLease))
	c.mu.Lock()
	defer c.mu.Unlock()
	if tag := a.header.Get(wire.HeaderPolicy); tag != "" {
		c.tag = tag
	}
	if leased {
		c.lease = Lease{lease, time.Now()}
	}
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		c.clock.compare(date, time.Now())
	}
}
