package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/metrics"
	"tidemark/agent/page"
	"tidemark/internal/fault"
)

// listeners are those of the service, as the configuration in force has them.
// One caller at a time changes them.
type listeners struct {
	log  *zap.Logger
	kind map[string]func() (http.Handler, func(context.Context)) // by name

	//nolint:containedctx // of the service, given to each that begins
	ctx     context.Context
	open    map[string]*listener
	running sync.WaitGroup
	mu      sync.Mutex
	over    bool // none begins any more
}

// newListeners are none yet. They end with ctx.
func newListeners(ctx context.Context, ag *agent.Agent, sums *metrics.Recorder, log *zap.Logger) *listeners {
	started := time.Now()
	history := page.NewHistory() // goes on where the page moves
	return &listeners{log: log, ctx: ctx, open: map[string]*listener{}, kind: map[string]func() (http.Handler, func(context.Context)){
		"metrics": func() (http.Handler, func(context.Context)) {
			return metrics.Handler(ag, sums, build(), started), nil
		},
		"ui": func() (http.Handler, func(context.Context)) {
			return page.Handler(page.Site{Viewer: ag, Journal: ag.Journal, History: history, Version: build()}), func(ctx context.Context) {
				history.Run(ctx, ag, func(table string) int64 {
					t := sums.Table(table)
					return t.Inserted + t.Updated + t.Deleted
				})
			}
		},
	}}
}

// addresses are those that a configuration asks for, by name.
func addresses(c *config.Config) map[string]string {
	return map[string]string{"metrics": c.Metrics.Listen, "ui": c.UI.Listen}
}

// begin opens those that the configuration names. One that cannot be opened is
// told to the log and returned as false: it is no reason to send nothing.
func (l *listeners) begin(c *config.Config) bool {
	all := true
	for name, address := range addresses(c) {
		if address == "" {
			continue
		}
		next, err := l.listen(name, address)
		if err != nil {
			l.log.Error("listening.failed", zap.String("for", name), zap.Error(err), zap.String("hint", fault.Hint(err)))
			all = false
			continue
		}
		l.start(next)
	}
	return all
}

// A nextListeners is what the listeners are about to become.
type nextListeners struct {
	of     *listeners
	want   map[string]string
	opened []*listener
	closed []*listener // they were in the way of those
}

// prepare opens those of a configuration that are not open yet. Those that are
// open go on, but for one that has the port of another that is asked for.
// Nothing has changed until become; drop takes it back.
func (l *listeners) prepare(c *config.Config) (*nextListeners, error) {
	n := &nextListeners{of: l, want: addresses(c)}
	for name, address := range n.want {
		if now := l.open[name]; address == "" || now != nil && now.address == address {
			continue
		}
		next, err := l.listen(name, address)
		if err != nil && n.clear(address) {
			next, err = l.listen(name, address)
		}
		if err != nil {
			n.drop()
			return nil, err
		}
		n.opened = append(n.opened, next)
	}
	return n, nil
}

// clear ends one that has the port of address and is not wanted there.
func (n *nextListeners) clear(address string) bool {
	_, port, _ := net.SplitHostPort(address)
	for name, now := range n.of.open {
		if _, taken, _ := net.SplitHostPort(now.address); taken == port && n.want[name] != now.address {
			now.end()
			delete(n.of.open, name)
			n.closed = append(n.closed, now)
			return true
		}
	}
	return false
}

func (n *nextListeners) drop() {
	if n == nil {
		return
	}
	for _, o := range n.opened {
		_ = o.on.Close()
	}
	for _, was := range n.closed {
		if n.of.ctx.Err() != nil {
			return
		}
		again, err := n.of.listen(was.name, was.address)
		if err != nil {
			n.of.log.Error("listening.failed", zap.String("for", was.name), zap.Error(err), zap.String("hint", fault.Hint(err)))
			continue
		}
		n.of.start(again)
	}
}

// become has the listeners be those that were prepared.
func (l *listeners) become(n *nextListeners) {
	for name, now := range l.open {
		if n.want[name] != now.address {
			now.end()
			delete(l.open, name)
		}
	}
	for _, next := range n.opened {
		l.start(next)
	}
}

func (l *listeners) listen(name, address string) (*listener, error) {
	handler, also := l.kind[name]()
	return listen(l.ctx, name, address, handler, also)
}

func (l *listeners) start(next *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		_ = next.on.Close()
		return
	}
	ctx, cancel := context.WithCancel(l.ctx)
	ended := make(chan struct{})
	next.end = func() { cancel(); <-ended }
	l.open[next.name] = next
	l.running.Go(func() {
		defer close(ended)
		next.run(ctx, l.log)
	})
}

// wait waits for all to end, after their ctx has.
func (l *listeners) wait() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.running.Wait()
}
