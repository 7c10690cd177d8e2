package sqlserver

import (
	"context"
	"net"
	"sync"
	"time"
)

// attentionTime is how long the driver may wait for the server to answer a
// cancellation before the network is closed under it. The driver's own limit
// is twice five seconds, and writing to a dead peer has none.
const attentionTime = 2 * time.Second

type watchKey struct{}

// A watch knows the network connections of one login.
type watch struct {
	mu    sync.Mutex
	ended bool
	conns []net.Conn
}

func (w *watch) add(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		_ = c.Close()
	}
	w.conns = append(w.conns, c)
}

func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for _, c := range w.conns {
		_ = c.Close()
	}
}

// guard closes the network when ctx has ended and release is not called
// within attentionTime: a server that neither answers nor hears (go-mssqldb
// 407) holds nobody longer.
func (w *watch) guard(ctx context.Context) (release func()) {
	var mu sync.Mutex
	var timer *time.Timer
	released := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !released {
			timer = time.AfterFunc(attentionTime, w.close)
		}
	})
	return func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		released = true
		if timer != nil {
			timer.Stop()
		}
	}
}

// watched tells the login's watch of each connection that it dials.
type watched struct{ Dialer }

func (d watched) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		w.add(c)
	}
	return c, nil
}

// watchedHost leaves the resolution of names to the dialer's own network.
type watchedHost struct {
	watched
	host string
}

func (d watchedHost) HostName() string { return d.host }
