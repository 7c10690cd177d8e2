//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A weather is what a proxy does to what goes through it.
type weather struct {
	reset    float64       // of the chunks, the share that ends in a reset of its connection
	delay    time.Duration // of each chunk, at most
	rate     int           // bytes a second of a connection and direction; 0: any
	refusing bool          // new connections are reset
}

// chunk is what the proxy carries at once. It is smaller than a batch or an
// answer with rows, so that a reset comes in their middle.
const chunk = 1 << 10

// A proxy carries TCP connections to a server and does harm to them.
type proxy struct {
	listener net.Listener
	to       string
	ctx      context.Context
	stop     context.CancelFunc
	group    sync.WaitGroup

	mu    sync.Mutex
	rand  *rand.Rand
	now   weather
	conns map[net.Conn]bool
	// resets by where they came: within what the client sent, within what the
	// server answered, of all connections at once, and before the first byte.
	inRequest, inAnswer, atOnce, refused int
}

func startProxy(ctx context.Context, listen, to string, seed uint64) (*proxy, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, to: to, rand: rand.New(rand.NewPCG(seed, 77)), conns: map[net.Conn]bool{}} //nolint:gosec // a seed
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.group.Go(p.serve)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if !pause(p.ctx, 100*time.Millisecond) { // no descriptors left, say
				return
			}
			continue
		}
		p.group.Go(func() { p.carry(c) })
	}
}

func (p *proxy) carry(client net.Conn) {
	p.mu.Lock()
	refusing := p.now.refusing
	if refusing {
		p.refused++
	}
	p.mu.Unlock()
	server, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(p.ctx, "tcp", p.to)
	if err != nil || refusing {
		abort(client)
		if err == nil {
			abort(server)
		}
		return
	}
	p.keep(client, server)
	defer p.drop(client, server)
	if p.ctx.Err() != nil { // close has looked already
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, &p.inRequest) })
	both.Go(func() { p.pump(client, server, &p.inAnswer) })
	both.Wait()
}

// pump carries one direction until it ends or is reset.
func (p *proxy) pump(to, from net.Conn, resets *int) {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			wait, reset := p.toll(n, resets)
			if reset {
				_, _ = to.Write(buf[:n/2]) // half of it arrives
				abort(to)
				abort(from)
				return
			}
			if wait > 0 && !pause(p.ctx, wait) {
				return
			}
			if _, werr := to.Write(buf[:n]); werr != nil {
				abort(from)
				return
			}
		}
		if err != nil {
			// The end of one direction is passed on; a reset is, too.
			if t, ok := to.(*net.TCPConn); !ok || !errors.Is(err, io.EOF) || t.CloseWrite() != nil {
				abort(to)
			}
			return
		}
	}
}

// toll is what a chunk pays.
func (p *proxy) toll(n int, resets *int) (wait time.Duration, reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.reset > 0 && p.rand.Float64() < p.now.reset {
		*resets++
		return 0, true
	}
	if p.now.delay > 0 {
		wait = time.Duration(p.rand.Int64N(int64(p.now.delay)))
	}
	if p.now.rate > 0 {
		wait += time.Duration(n) * time.Second / time.Duration(p.now.rate)
	}
	return wait, false
}

// set changes the weather.
func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = w
}

// resetAll resets all connections.
func (p *proxy) resetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		abort(c)
	}
	p.atOnce += len(p.conns) / 2
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
		_ = c.Close() // mostly closed before
	}
}

// resets are those so far.
func (p *proxy) resets() (inRequest, inAnswer, others int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inRequest, p.inAnswer, p.atOnce + p.refused
}

func (p *proxy) close() error {
	err := p.listener.Close()
	p.stop()
	p.mu.Lock()
	for c := range p.conns {
		abort(c)
	}
	p.mu.Unlock()
	p.group.Wait()
	return err
}

// abort resets a connection: what is on its way is lost.
func abort(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // it may be closed already
	}
	_ = c.Close()
}
