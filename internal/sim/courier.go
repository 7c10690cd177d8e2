package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// A courier carries an agent's requests to the cloud, each to its fate.
type courier struct {
	w    *world
	side *agentSide
	http *http.Transport
}

var errLost = errors.New("sim: connection lost")

// what tells a request's kind, as plans name it.
func what(r *http.Request) string {
	switch p := r.URL.Path; {
	case strings.HasSuffix(p, "/rows") && r.Method == http.MethodDelete:
		return "delete"
	case strings.HasSuffix(p, "/rows"):
		return "rows"
	case strings.HasSuffix(p, "/summary"), strings.HasSuffix(p, "/manifest"):
		return "summary"
	case strings.HasSuffix(p, "/versions"):
		return "versions"
	case strings.HasSuffix(p, "/schema"):
		return "schema"
	case strings.HasSuffix(p, "/policy"):
		return "policy"
	}
	return "table"
}

// RoundTrip implements http.RoundTripper.
func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	if c.side.hit("before", what(r)) {
		return nil, errLost
	}
	resp, err := c.carry(ctx, r, body)
	if c.side.hit("after", what(r)) {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, errLost
	}
	return resp, err
}

func (c *courier) send(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	out := r.Clone(ctx)
	out.Body, out.GetBody = http.NoBody, nil
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.http.RoundTrip(out)
}

func (c *courier) carry(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	fate, late := c.w.fateOf(what(r))
	if c.side == c.w.main && what(r) == "summary" {
		c.w.source.meddle()
	}
	if fate != "" {
		c.w.fault("request: " + fate)
		c.w.say(c.side.name, "%s %s: %s", r.Method, r.URL.Path, fate)
	}
	switch fate {
	case "lost":
		return nil, errLost
	case "silence":
		<-ctx.Done()
		return nil, ctx.Err()
	case "slow":
		if err := wait(ctx, late); err != nil {
			return nil, err
		}
	case "answer late": // what it says may be of the past when it comes
		resp, err := c.send(ctx, r, body)
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, late/20); err != nil { // else nobody waits for it any more
			_ = resp.Body.Close()
			return nil, err
		}
		return resp, nil
	case "lost answer":
		if resp, err := c.send(ctx, r, body); err == nil {
			_ = resp.Body.Close()
		}
		return nil, errLost
	case "twice":
		c.again(r, body, late)
	case "late":
		c.again(r, body, late)
		return nil, errLost
	case "held":
		if !c.hold(r, body, late) {
			return c.send(ctx, r, body)
		}
		return nil, errLost
	case "cut short":
		out := r.Clone(ctx)
		out.GetBody = nil
		if len(body) == 0 {
			return nil, errLost
		}
		out.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}))
		resp, err := c.http.RoundTrip(out)
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, errLost
	case "answer cut short":
		resp, err := c.send(ctx, r, body)
		if err != nil {
			return nil, err
		}
		all, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || len(all) == 0 {
			return nil, errLost
		}
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(all[:len(all)/2]), broken{}))
		return resp, nil
	case "garbage":
		return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>Please log in to the hotel's network</html>"))}, nil
	}
	return c.send(ctx, r, body)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again sends the request once more after a while, whoever still wants it.
func (c *courier) again(r *http.Request, body []byte, after time.Duration) {
	r = r.Clone(context.Background())
	c.w.later(Duration(after), func() { c.sendLate(r, body, after) })
}

func (c *courier) sendLate(r *http.Request, body []byte, after time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	late := &courier{w: c.w, side: c.side, http: c.w.late}
	resp, err := late.send(ctx, r, body)
	if err != nil {
		c.w.say("late", "%s %s: %v", r.Method, r.URL.Path, err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	c.w.say("late", "%s %s, sent %s ago: %s", r.Method, r.URL.Path, after.Round(time.Millisecond), resp.Status)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
