package admission

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrRefused says that there is no place now. Its text tells which one.
var ErrRefused = errors.New("no place")

// A Control admits requests. It starts no goroutine.
type Control struct {
	config Config

	mu        sync.Mutex
	classes   [Classes]state
	inside    int
	customers map[string]int // what each has inside
}

// state is what is known of a class.
type state struct {
	limit     *limit
	queue     queue
	inside    int
	customers map[string]int
	refused   uint64
	recent    rates
}

// New returns a Control in which nobody is inside.
func New(c Config) *Control {
	if c.Capacity == nil {
		sum := 0
		for _, b := range c.Classes {
			sum += b.Most
		}
		c.Capacity = func() int { return sum }
	}
	control := &Control{config: c, customers: make(map[string]int)}
	for i, b := range c.Classes {
		control.classes[i].limit = newLimit(b)
		control.classes[i].customers = make(map[string]int)
	}
	return control
}

// A Pass is a place inside.
type Pass struct {
	control  *Control
	class    Class
	customer string
	bytes    int
	since    time.Time
	once     sync.Once
}

// Enter waits for a place for a request of a customer. Bytes is about how much
// work it is: requests of one class are compared with those of about their
// size. The error is ErrRefused or the context's. Whoever is let in calls
// Leave.
func (c *Control) Enter(ctx context.Context, class Class, customer string, bytes int) (*Pass, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &turn{customer: customer, ready: make(chan struct{})}
	if err := c.join(class, t); err != nil {
		return nil, err
	}
	patience := time.NewTimer(c.config.Patience)
	defer patience.Stop()
	var err error
	select {
	case <-t.ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
		err = fmt.Errorf("%w: no turn for a %s in %v", ErrRefused, class, c.config.Patience)
	}
	if err != nil && c.abandon(class, t) {
		return nil, err
	}
	<-t.ready // it was served meanwhile, if not before
	if t.refused {
		return nil, fmt.Errorf("%w: others wait for a %s with fewer requests", ErrRefused, class)
	}
	return &Pass{control: c, class: class, customer: customer, bytes: bytes, since: time.Now()}, nil
}

// join puts t into the queue of its class, which may let it in at once.
func (c *Control) join(class Class, t *turn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.classes[class]
	s.queue.push(t)
	c.serve()
	if s.queue.n <= s.limit.Waiting {
		return nil
	}
	// One too many waits.
	out := s.queue.greediest(len(s.queue.of[t.customer]))
	if out == nil {
		out = t
	}
	s.queue.remove(out)
	s.refuse()
	if out == t {
		return fmt.Errorf("%w to wait for a %s", ErrRefused, class)
	}
	out.refused = true
	close(out.ready)
	return nil
}

// abandon takes t out of the queue; false when it is no longer there.
func (c *Control) abandon(class Class, t *turn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.classes[class]
	if !s.queue.remove(t) {
		return false
	}
	s.refuse()
	c.serve() // classes below may have waited for its sake
	return true
}

// Leave ends the work. What it took is measured, unless it failed: that can be
// quick. Overload says that it failed because there was too much of it.
func (p *Pass) Leave(failed, overload bool) {
	p.once.Do(func() { p.control.leave(p, failed, overload) })
}

func (c *Control) leave(p *Pass, failed, overload bool) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.classes[p.class]
	if !failed || overload {
		s.limit.done(now, p.bytes, now.Sub(p.since), overload, s.inside)
	}
	s.recent.served(now)
	s.inside--
	c.inside--
	drop(s.customers, p.customer)
	drop(c.customers, p.customer)
	c.serve()
}

func drop(of map[string]int, customer string) {
	if of[customer]--; of[customer] == 0 {
		delete(of, customer)
	}
}

// serve lets in whoever fits, the highest class first.
func (c *Control) serve() {
	capacity := max(1, c.config.Capacity())
	waits := false // somebody in a class above
	for class := range Classes {
		s := &c.classes[class]
		for s.queue.n > 0 && c.fits(class, capacity, waits) {
			t := s.queue.next(func(customer string) bool {
				return s.customers[customer] < shareOf(s.limit.value()) && c.customers[customer] < shareOf(capacity)
			})
			if t == nil { // each that waits has its share
				break
			}
			s.inside++
			c.inside++
			s.customers[t.customer]++
			c.customers[t.customer]++
			close(t.ready)
		}
		if s.queue.n > 0 {
			waits, s.limit.pressed = true, true
		}
	}
}

// fits tells whether one more of a class may come in.
func (c *Control) fits(class Class, capacity int, waits bool) bool {
	s := &c.classes[class]
	switch {
	case c.inside >= capacity, s.inside >= s.limit.value():
		return false
	case c.inside < (capacity*parts[class]+9)/10:
		return true
	}
	return s.inside == 0 && !waits
}
