package sim

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// A network carries bytes between the sides, each write as one packet that
// arrives later, at an instant of its own, in order.
type network struct {
	mu    sync.Mutex
	rand  *rand.Rand
	taken time.Time // of the packet that arrives last
	hosts map[string]*host
}

// A host takes connections while it is up.
type host struct {
	least, spread time.Duration // delay of a packet
	accept        func(net.Conn)
	down          bool
	conns         map[*conn]string // client ends, with who dialled
}

var (
	errRefused = errors.New("sim: connection refused")
	errReset   = errors.New("sim: connection reset by peer")
)

func newNetwork(seed uint64) *network {
	return &network{rand: rand.New(rand.NewPCG(seed, 1)), hosts: map[string]*host{}}
}

func (n *network) add(name string, least, spread time.Duration, accept func(net.Conn)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[name] = &host{least: least, spread: spread, accept: accept, conns: map[*conn]string{}}
}

// delay is how long from now a packet takes.
func (n *network) delay(h *host) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	at := now.Add(h.least + time.Duration(n.rand.Int64N(int64(h.spread))))
	if d := n.taken.Sub(at); d >= 0 && d < time.Microsecond { // one instant, one packet
		at = n.taken.Add(1)
	}
	if at.After(n.taken) {
		n.taken = at
	}
	return at.Sub(now)
}

// dial connects to a host. Who names the caller, for cut.
func (n *network) dial(ctx context.Context, who, name string) (net.Conn, error) {
	h := n.hosts[name]
	t := time.NewTimer(n.delay(h))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	if h.down {
		n.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "sim", Err: errRefused}
	}
	client, server := n.pair(h)
	h.conns[client] = who
	accept := h.accept
	n.mu.Unlock()
	accept(server)
	return client, nil
}

func (n *network) pair(h *host) (client, server *conn) {
	up, down := newStream(), newStream()
	client = &conn{n: n, h: h, in: down, out: up}
	server = &conn{n: n, h: h, in: up, out: down}
	client.peer, server.peer = server, client
	return client, server
}

// cut resets the connections to a host, of one caller or, with "", of all.
func (n *network) cut(name, who string) int {
	n.mu.Lock()
	var all []*conn
	for c, w := range n.hosts[name].conns {
		if who == "" || who == w {
			all = append(all, c)
			delete(n.hosts[name].conns, c)
		}
	}
	n.mu.Unlock()
	for _, c := range all {
		c.reset()
	}
	return len(all)
}

// set brings a host up or down. Down, it also loses its connections.
func (n *network) set(name string, down bool) {
	n.mu.Lock()
	n.hosts[name].down = down
	n.mu.Unlock()
	if down {
		n.cut(name, "")
	}
}

// A stream is one direction of a connection.
type stream struct {
	mu       sync.Mutex
	changed  chan struct{}
	buf      []byte // arrived
	err      error  // behind buf
	last     time.Time
	deadline time.Time
	timer    *time.Timer
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		s.wake()
	}
}

// after has fn run when a packet sent now arrives, behind all sent before.
func (s *stream) after(d time.Duration, fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(d)
	if !at.After(s.last) {
		at = s.last.Add(1)
	}
	s.last = at
	time.AfterFunc(time.Until(at), fn)
}

func (s *stream) read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		switch {
		case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.mu.Unlock()
			return n, nil
		case s.err != nil:
			defer s.mu.Unlock()
			return 0, s.err
		}
		changed := s.changed
		s.mu.Unlock()
		<-changed
	}
}

func (s *stream) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.deadline = t
	if !t.IsZero() {
		s.timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.wake()
		})
	}
	s.wake()
}

// A conn is one end of a connection. Writes never wait: a request or an
// answer is small.
type conn struct {
	n       *network
	h       *host
	in, out *stream
	peer    *conn

	mu     sync.Mutex
	closed error
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return c.in.read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	err := c.closed
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	packet := append([]byte(nil), p...)
	c.out.after(c.n.delay(c.h), func() {
		s := c.out
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.buf = append(s.buf, packet...)
			s.wake()
		}
	})
	return len(p), nil
}

func (c *conn) Close() error {
	if !c.shut(net.ErrClosed) {
		return nil
	}
	c.in.end(net.ErrClosed)
	c.out.after(c.n.delay(c.h), func() { c.out.end(io.EOF) })
	c.n.mu.Lock()
	delete(c.h.conns, c)
	delete(c.h.conns, c.peer)
	c.n.mu.Unlock()
	return nil
}

func (c *conn) shut(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return false
	}
	c.closed = err
	return true
}

// reset breaks both directions at once; what is on its way is lost.
func (c *conn) reset() {
	for _, end := range []*conn{c, c.peer} {
		end.shut(errReset)
		end.in.end(errReset)
	}
}

func (c *conn) SetDeadline(t time.Time) error      { c.in.setDeadline(t); return nil }
func (c *conn) SetReadDeadline(t time.Time) error  { c.in.setDeadline(t); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { return nil }
func (c *conn) LocalAddr() net.Addr                { return address{} }
func (c *conn) RemoteAddr() net.Addr               { return address{} }

type address struct{}

func (address) Network() string { return "sim" }
func (address) String() string  { return "192.0.2.1:1" }

// A listener hands a host's connections to an HTTP server.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn, 64), closed: make(chan struct{})}
}

func (l *listener) hand(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return address{} }
