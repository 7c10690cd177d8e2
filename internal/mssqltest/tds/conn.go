package tds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A conn is one connection after its acceptance. One goroutine answers
// requests; another reads them, so that an attention is seen at any time.
type conn struct {
	server  *Server
	raw     net.Conn
	rw      net.Conn // raw, or TLS over it
	out     *packetWriter
	scratch []byte // tokens on their way to out
	session Session

	requests  chan request
	attention chan struct{} // holds an attention that is not yet acknowledged
	closed    <-chan struct{}

	announced uint64 // the transaction that the client knows of
}

// A request is a message and the context of its answer, which stop ends.
type request struct {
	message
	ctx  context.Context
	stop context.CancelFunc
}

// errEnded ends a connection that the client was told about.
var errEnded = errors.New("tds: connection ended after a fatal error")

// serve runs the connection to its end and returns why it ended; nil if the
// client closed it between two requests.
func (c *conn) serve(ctx context.Context) error {
	if err := c.logIn(ctx); err != nil {
		return err
	}
	defer c.session.Close()

	ctx, cancel := context.WithCancel(ctx)
	c.closed = ctx.Done()
	reading := make(chan error, 1)
	go func() {
		defer cancel()
		reading <- c.read(ctx)
	}()
	err := c.answer(ctx)
	left := ctx.Err() != nil
	_ = c.raw.Close()
	cancel()
	if readErr := <-reading; left {
		err = readErr // whatever the answer ran into then, this was first
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// logIn runs the connection up to the answered login.
func (c *conn) logIn(ctx context.Context) error {
	timeout := c.server.options.LoginTimeout
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.raw.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	m, err := readMessage(c.raw, maxLogin)
	if err != nil {
		return err
	}
	if m.kind != preloginPacket {
		return malformed("a first packet of type %d", m.kind)
	}
	asked, err := parsePrelogin(m.body)
	if err != nil {
		return err
	}
	encryption := c.server.options.Encryption.negotiate(asked)
	c.out = newPacketWriter(c.raw, replyPacket, minPacketSize)
	_ = c.put(appendPrelogin(nil, encryption))
	if err := c.out.flush(endOfMessage); err != nil {
		return err
	}
	if encryption != encryptNotSup {
		if c.rw, err = encrypt(ctx, c.raw, c.server.tls, encryption == encryptOff); err != nil {
			return fmt.Errorf("tds: TLS handshake: %w", err)
		}
	}
	login, size, err := c.readLogin(encryption)
	if err != nil && !errors.As(err, new(*Error)) {
		return err
	}
	c.out = newPacketWriter(c.rw, replyPacket, size)
	if err == nil {
		if refused := c.server.faults.refuse.Load(); refused != nil {
			err = refused
		} else {
			c.session, err = c.server.handler.Login(ctx, login)
		}
	}
	if err != nil {
		return c.refuse(err)
	}
	if login.Database == "" {
		login.Database = "master"
	}
	_ = c.put(appendLoginAnswer(c.scratch[:0], login.Database, size))
	_ = c.put(appendDone(c.scratch[:0], doneToken, 0, 0, 0))
	err = c.out.flush(endOfMessage)
	if err == nil {
		err = c.raw.SetDeadline(time.Time{})
	}
	if err != nil {
		c.session.Close()
	}
	return err
}

// readLogin reads LOGIN7 and leaves the connection in the state that lasts.
func (c *conn) readLogin(encryption byte) (l Login, packetSize int, err error) {
	var m message
	var status byte
	for first := true; status&endOfMessage == 0; first = false {
		if status, err = m.readPacket(c.rw, first, maxLogin); err != nil {
			return l, 0, err
		}
		if encryption == encryptOff {
			c.rw = c.raw // only the first packet was encrypted
		}
	}
	if m.kind != loginPacket {
		return l, 0, malformed("a packet of type %d instead of a login", m.kind)
	}
	l, asked, err := parseLogin(m.body)
	l.Encrypted = c.rw != c.raw
	return l, acceptPacketSize(asked, l.Encrypted), err
}

// refuse tells the client why it may not log in.
func (c *conn) refuse(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	_ = c.put(appendMessage(c.scratch[:0], errorToken, e))
	_ = c.put(appendDone(c.scratch[:0], doneToken, doneError, 0, 0))
	if err := c.out.flush(endOfMessage); err != nil {
		return err
	}
	return errEnded
}

// read hands over requests and notes attentions until the connection ends.
func (c *conn) read(ctx context.Context) error {
	stop := func() {}
	for {
		m, err := readMessage(c.rw, c.server.options.MaxRequest)
		if err != nil {
			return err
		}
		if m.kind == attentionPacket {
			select {
			case c.attention <- struct{}{}:
			default: // one acknowledgement answers both
			}
			stop()
			continue
		}
		r := request{message: m}
		r.ctx, r.stop = context.WithCancel(ctx)
		select {
		case c.requests <- r:
			stop = r.stop
		case <-ctx.Done():
			r.stop()
			return nil
		}
	}
}

// answer serves requests one at a time.
func (c *conn) answer(ctx context.Context) error {
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-c.attention: // it came too late to stop anything
			err = c.acknowledge()
		case r := <-c.requests:
			c.out.gate = func(size int) (int, error) { return c.server.faults.packet(r.ctx, size) }
			err = c.run(r)
			r.stop()
		}
		if err != nil {
			return err
		}
	}
}

// takeAttention tells whether an attention waits for its acknowledgement.
func (c *conn) takeAttention() bool {
	select {
	case <-c.attention:
		return true
	default:
		return false
	}
}

// acknowledge ends the response as MS-TDS 2.2.1.7 wants after an attention.
func (c *conn) acknowledge() error {
	_ = c.announce(envRollback)
	_ = c.put(appendDone(c.scratch[:0], doneToken, doneAttention|c.inTransaction(), 0, 0))
	return c.out.flush(endOfMessage)
}

// hang sends what there is and then nothing until the client is gone.
func (c *conn) hang() error {
	_ = c.out.flush(0)
	<-c.closed
	return errEnded
}

// put adds tokens to the response and keeps their buffer for the next.
func (c *conn) put(tokens []byte) error {
	c.scratch = tokens
	_, err := c.out.Write(tokens)
	return err
}

// announce tells the client of a transaction that began or ended; ended is
// how.
func (c *conn) announce(ended byte) error {
	now := c.session.Transaction()
	if now == c.announced {
		return nil
	}
	before := c.announced
	c.announced = now
	return c.put(appendTransaction(c.scratch[:0], now, before, ended))
}

func (c *conn) inTransaction() uint16 {
	if c.session.Transaction() != 0 {
		return doneInTran
	}
	return 0
}
