package uploader

import (
	"sync"
	"time"
)

// A Traffic is what a client has moved since it was made.
type Traffic struct {
	Requests int64     // sent, repetitions included
	Sent     int64     // bytes of bodies, compressed
	Received int64     // bytes of bodies, compressed
	Answered time.Time // the last answer of the API, whatever it said; zero: none
}

type meter struct {
	mu sync.Mutex
	t  Traffic
}

func (m *meter) sent(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Requests++
	m.t.Sent += int64(bytes)
}

func (m *meter) received(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Received += int64(bytes)
}

func (m *meter) answered() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Answered = time.Now()
}

// Traffic returns what the client has moved so far.
func (c *Client) Traffic() Traffic {
	c.meter.mu.Lock()
	defer c.meter.mu.Unlock()
	return c.meter.t
}
