package tds

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Packet types (MS-TDS 2.2.3.1.1).
const (
	batchPacket       = 1
	rpcPacket         = 3
	replyPacket       = 4
	attentionPacket   = 6
	transactionPacket = 14
	loginPacket       = 16
	preloginPacket    = 18
)

// Packet status bits (MS-TDS 2.2.3.1.2).
const (
	endOfMessage  = 0x01
	ignoreMessage = 0x02
	resetSession  = 0x08
	resetSkipTran = 0x10
)

const (
	headerSize    = 8
	minPacketSize = 512
	maxPacketSize = 32767
	// The default of clients and servers, in force until the login is
	// answered.
	defaultPacketSize = 4096
)

// A protocolError is something that MS-TDS forbids a client to send. It ends
// the connection.
type protocolError struct{ what string }

func (e *protocolError) Error() string { return "tds: client breaks the protocol: " + e.what }

func malformed(format string, args ...any) error {
	return &protocolError{fmt.Sprintf(format, args...)}
}

// A message is one request without its packet headers. Status is that of the
// first packet, where the reset bits stand.
type message struct {
	kind, status byte
	body         []byte
}

// readPacket appends the body of the next packet to m.
func (m *message) readPacket(r io.Reader, first bool, limit int) (status byte, err error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, err
	}
	size := int(binary.BigEndian.Uint16(h[2:])) - headerSize
	switch {
	case size < 0 || size > maxPacketSize-headerSize:
		return 0, malformed("a packet of %d bytes", size+headerSize)
	case h[0] == 0 || h[0] > preloginPacket: // as from a client of another protocol
		return 0, malformed("a packet of the unknown type %d", h[0])
	case first:
		m.kind, m.status = h[0], h[1]
	case h[0] != m.kind:
		return 0, malformed("a packet of type %d in a message of type %d", h[0], m.kind)
	}
	if len(m.body)+size > limit {
		return 0, malformed("a request of more than %d bytes", limit)
	}
	at := len(m.body)
	m.body = append(m.body, make([]byte, size)...)
	_, err = io.ReadFull(r, m.body[at:])
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return h[1], err
}

// readMessage reads packets up to the end of a message that the client does
// not take back, with a body of at most limit bytes.
func readMessage(r io.Reader, limit int) (message, error) {
	for {
		var m message
		for first := true; ; first = false {
			status, err := m.readPacket(r, first, limit)
			if err != nil {
				return m, err
			}
			if status&ignoreMessage != 0 {
				break
			}
			if status&endOfMessage != 0 {
				return m, nil
			}
		}
	}
}

// A packetWriter cuts responses into packets. After an error it drops what it
// is given; flush returns the error.
type packetWriter struct {
	w    io.Writer
	buf  []byte // one packet with its header
	n    int    // bytes of buf in use
	kind byte
	seq  byte
	err  error
	// gate is asked before every packet how many of its bytes may be sent; an
	// error ends the connection after those.
	gate func(size int) (int, error)
}

func newPacketWriter(w io.Writer, kind byte, size int) *packetWriter {
	return &packetWriter{w: w, buf: make([]byte, size), n: headerSize, kind: kind}
}

// spid is the session number of every packet; nothing reads it.
const spid = 51

func (p *packetWriter) Write(b []byte) (int, error) {
	total := len(b)
	for {
		n := copy(p.buf[p.n:], b)
		p.n += n
		b = b[n:]
		if len(b) == 0 {
			return total, p.err
		}
		if err := p.flush(0); err != nil {
			return total - len(b), err
		}
	}
}

// flush sends the packet, as the last of its message if status says so.
func (p *packetWriter) flush(status byte) error {
	if p.err != nil {
		p.n = headerSize
		return p.err
	}
	p.seq++
	p.buf[0], p.buf[1] = p.kind, status
	binary.BigEndian.PutUint16(p.buf[2:], uint16(p.n))
	binary.BigEndian.PutUint16(p.buf[4:], spid)
	p.buf[6], p.buf[7] = p.seq, 0
	if status&endOfMessage != 0 {
		p.seq = 0
	}
	size := p.n
	p.n = headerSize
	var cut error
	if p.gate != nil {
		size, cut = p.gate(size)
	}
	if _, p.err = p.w.Write(p.buf[:size]); p.err == nil {
		p.err = cut
	}
	return p.err
}
