package uploader

import (
	"errors"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A refusal is what is remembered of a key that was refused.
type refusal struct {
	stop *Stop // nil: it was not
	hint string
	key  string
}

// admit lets one call through when the key has changed or enough time has
// passed, and fails the others.
func (c *Client) admit(op, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.refusal
	if r.stop == nil {
		return nil
	}
	now := time.Now()
	if key == r.key && now.Before(c.state.Next) && !(c.doubted.open && c.doubted.key == key) {
		return fault.New(op, r.stop, r.hint)
	}
	r.key = key
	c.state.Next = now.Add(c.refusedWait())
	return nil
}

// refusedWait is jittered upwards by a half.
func (c *Client) refusedWait() time.Duration {
	return c.config.Retry.Refused + jitter(c.config.Rand, c.config.Retry.Refused/2)
}

// refuse remembers that the key was refused.
func (c *Client) refuse(key string, stop *Stop, hint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusal = refusal{stop: stop, hint: hint, key: key}
	since := c.state.Since
	if c.state.Refused == nil {
		since = time.Now()
	}
	c.state = State{Since: since, Next: time.Now().Add(c.refusedWait()), Refused: stop}
	c.config.Observer(c.state)
}

// accept remembers that the key was good.
func (c *Client) accept() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubted = doubted{}
	if c.state.Refused == nil {
		return
	}
	c.refusal = refusal{}
	c.state = State{}
	c.config.Observer(c.state)
}

// A doubted is the key that was refused last.
type doubted struct {
	key   string
	until time.Time
	open  bool // it was not refused after until
}

// doubt makes a failure, which is worth another try, of the first refusal of a
// key: a server looks for keys that it does not know once a second, so it may
// not know one that was made a moment ago. Calls that go out meanwhile wait
// likewise, and each tries twice.
func (c *Client) doubt(key string, err error) error {
	var stop *Stop
	if !errors.As(err, &stop) || stop.Problem == nil || stop.Problem.Code != wire.Unauthorized {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, d := time.Now(), &c.doubted
	if d.key != key {
		*d = doubted{key: key, until: now.Add(c.config.Retry.Doubt), open: true}
	}
	if wait := d.until.Sub(now); wait > 0 {
		return &failure{err: stop.Problem, hint: fault.Hint(err), where: alone, floor: wait}
	}
	d.open = false
	return err
}
