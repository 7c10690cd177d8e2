package admission

import (
	"math/rand/v2"
	"time"
)

// Figures are what is known of a class now.
type Figures struct {
	Limit, Inside, Waiting int
	Refused                uint64 // since the start, with those who gave up
}

// Figures returns the figures of all classes.
func (c *Control) Figures() [Classes]Figures {
	c.mu.Lock()
	defer c.mu.Unlock()
	var f [Classes]Figures
	for i := range c.classes {
		s := &c.classes[i]
		f[i] = Figures{Limit: s.limit.value(), Inside: s.inside, Waiting: s.queue.n, Refused: s.refused}
	}
	return f
}

func (s *state) refuse() {
	s.refused++
	s.recent.refused(time.Now())
}

// Times that those who are refused are told to stay away: at least, and at
// most.
var (
	soonest = [Classes]time.Duration{2 * time.Second, 2 * time.Second, 10 * time.Second, 30 * time.Second}
	latest  = [Classes]time.Duration{time.Minute, time.Minute, 5 * time.Minute, 10 * time.Minute}
)

// RetryAfter is how long one that was refused should stay away. It grows with
// the number of those refused lately against those served, so that they do not
// come sooner than they can be served, and is spread, so that those refused
// together do not come back together.
func (c *Control) RetryAfter(class Class) time.Duration {
	c.mu.Lock()
	d := c.classes[class].recent.backlog(time.Now())
	c.mu.Unlock()
	d = min(max(d, 3*soonest[class]), latest[class])
	return soonest[class] + rand.N(d)
}

// rates count what was served and refused in this span of time and the one
// before.
type rates struct {
	span        int64
	now, before struct{ served, refused int }
}

const spanTime = 15 * time.Second

func (r *rates) turn(at time.Time) {
	span := at.UnixNano() / int64(spanTime)
	switch span - r.span {
	case 0:
		return
	case 1:
		r.before = r.now
	default:
		r.before.served, r.before.refused = 0, 0
	}
	r.span, r.now.served, r.now.refused = span, 0, 0
}

func (r *rates) served(at time.Time)  { r.turn(at); r.now.served++ }
func (r *rates) refused(at time.Time) { r.turn(at); r.now.refused++ }

// backlog is about how long it takes to serve those who were refused lately.
func (r *rates) backlog(at time.Time) time.Duration {
	r.turn(at)
	refused, served := r.now.refused+r.before.refused, r.now.served+r.before.served
	return 2 * spanTime * time.Duration(refused) / time.Duration(max(1, served))
}
