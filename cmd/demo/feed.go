package main

import (
	"sync"
	"time"
)

// kept is how many events a feed remembers: more than any screen shows.
const kept = 500

// An event is something that was done.
type event struct {
	at   time.Duration // since the start
	who  string        // demo, writer or agent
	text string
	bad  bool
}

// A feed is the story so far. It never blocks who tells it.
type feed struct {
	started time.Time

	mu     sync.Mutex
	events []event // the newest
	total  int
}

func (f *feed) add(who, text string) { f.put(event{who: who, text: text}) }

func (f *feed) put(e event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.at = time.Since(f.started)
	if len(f.events) == kept {
		copy(f.events, f.events[1:])
		f.events = f.events[:kept-1]
	}
	f.events = append(f.events, e)
	f.total++
}

// since returns the events behind the first n, those that are still
// remembered, and the number to ask with next.
func (f *feed) since(n int) ([]event, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n = max(n, f.total-len(f.events))
	return append([]event(nil), f.events[len(f.events)-(f.total-n):]...), f.total
}

// last returns the newest n events, oldest first.
func (f *feed) last(n int) []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]event(nil), f.events[max(0, len(f.events)-n):]...)
}
