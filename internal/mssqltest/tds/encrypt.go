package tds

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
)

// A tlsCarrier is the connection below TLS. During the handshake TLS records
// travel inside PRELOGIN packets (MS-TDS 2.2.6.5), afterwards bare.
type tlsCarrier struct {
	net.Conn
	handshaking bool
	in          []byte // what is left of the client's message
	flight      []byte // records to send as one message

	// Where only the login is encrypted, plain packets follow TLS records on
	// the same connection. TLS would read ahead into them, so it is given one
	// record at a time.
	byRecord bool
	header   [5]byte // of the record, the last pending bytes of it not yet read
	pending  int
	left     int
}

func (c *tlsCarrier) Read(b []byte) (int, error) {
	switch {
	case c.handshaking:
		return c.readWrapped(b)
	case c.byRecord:
		return c.readRecord(b)
	}
	return c.Conn.Read(b)
}

func (c *tlsCarrier) Write(b []byte) (int, error) {
	if !c.handshaking {
		return c.Conn.Write(b)
	}
	c.flight = append(c.flight, b...)
	return len(b), nil
}

func (c *tlsCarrier) readWrapped(b []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	for len(c.in) == 0 {
		var m message
		if _, err := m.readPacket(c.Conn, true, maxPacketSize); err != nil {
			return 0, err
		}
		if m.kind != preloginPacket {
			return 0, malformed("a packet of type %d in the TLS handshake", m.kind)
		}
		c.in = m.body
	}
	n := copy(b, c.in)
	c.in = c.in[n:]
	return n, nil
}

// flush sends the flight in one message. Its packets have the smallest size,
// since the client states its own only at login.
func (c *tlsCarrier) flush() error {
	if len(c.flight) == 0 {
		return nil
	}
	w := newPacketWriter(c.Conn, preloginPacket, minPacketSize)
	if _, err := w.Write(c.flight); err != nil {
		return err
	}
	c.flight = c.flight[:0]
	return w.flush(endOfMessage)
}

func (c *tlsCarrier) readRecord(b []byte) (int, error) {
	if c.left == 0 && c.pending == 0 {
		if _, err := io.ReadFull(c.Conn, c.header[:]); err != nil {
			return 0, err
		}
		c.pending, c.left = len(c.header), int(binary.BigEndian.Uint16(c.header[3:]))
	}
	if c.pending > 0 {
		n := copy(b, c.header[len(c.header)-c.pending:])
		c.pending -= n
		return n, nil
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// encrypt runs the server's side of the handshake.
func encrypt(ctx context.Context, conn net.Conn, config *tls.Config, loginOnly bool) (*tls.Conn, error) {
	carrier := &tlsCarrier{Conn: conn, handshaking: true, byRecord: loginOnly}
	t := tls.Server(carrier, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = carrier.flush() // the alert that says why
		return nil, err
	}
	if err := carrier.flush(); err != nil {
		return nil, err
	}
	carrier.handshaking = false
	return t, nil
}
