package sqlserver_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// A tape is what a server answered on one connection, message by message.
type tape struct {
	mu       sync.Mutex
	messages [][]byte
	asked    bool // since the last answer
}

// recorder dials connections, each with its tape.
type recorder struct{ tapes []*tape }

func (r *recorder) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	r.tapes = append(r.tapes, &tape{})
	return recorded{c, r.tapes[len(r.tapes)-1]}, err
}

type recorded struct {
	net.Conn
	tape *tape
}

func (r recorded) Write(p []byte) (int, error) {
	r.tape.mu.Lock()
	r.tape.asked = true
	r.tape.mu.Unlock()
	return r.Conn.Write(p)
}

func (r recorded) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.tape.mu.Lock()
	defer r.tape.mu.Unlock()
	if n > 0 {
		if r.tape.asked {
			r.tape.messages, r.tape.asked = append(r.tape.messages, nil), false
		}
		last := &r.tape.messages[len(r.tape.messages)-1]
		*last = append(*last, p[:n]...)
	}
	return n, err
}

// A player dials connections whose server answers from the next tape, whatever
// it is asked. There are no more connections than tapes.
type player struct{ tapes [][][]byte }

func (p *player) DialContext(context.Context, string, string) (net.Conn, error) {
	if len(p.tapes) == 0 {
		return nil, errors.New("the server is gone")
	}
	c := &playing{messages: p.tapes[0]}
	p.tapes = p.tapes[1:]
	return c, nil
}

// playing is a connection whose other end answers at once. Who reads on when
// all was answered would wait for ever, and finds the connection closed.
type playing struct {
	mu       sync.Mutex
	heard    []byte // of a message
	messages [][]byte
	said     []byte
	closed   bool
}

// Write hears messages: packets up to one with the mark of the last (MS-TDS
// 2.2.3.1).
func (c *playing) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.heard = append(c.heard, p...)
	for len(c.heard) >= 8 {
		size := max(8, int(binary.BigEndian.Uint16(c.heard[2:])))
		if len(c.heard) < size {
			break
		}
		if c.heard[1]&1 != 0 && len(c.messages) > 0 {
			c.said = append(c.said, c.messages[0]...)
			c.messages = c.messages[1:]
		}
		c.heard = c.heard[size:]
	}
	return len(p), nil
}

func (c *playing) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if len(c.said) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.said)
	c.said = c.said[n:]
	return n, nil
}

func (c *playing) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (*playing) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*playing) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*playing) SetDeadline(time.Time) error      { return nil }
func (*playing) SetReadDeadline(time.Time) error  { return nil }
func (*playing) SetWriteDeadline(time.Time) error { return nil }

// visit does what an agent does with a source, and goes on where it can.
func visit(t interface{ Errorf(string, ...any) }, ctx context.Context, s *sqlserver.Source) (err error) {
	_, errProbe := s.Probe(ctx, nil)
	tables, errCatalog := s.Catalog(ctx)
	err = errors.Join(errProbe, errCatalog)
	for _, table := range tables {
		if table.Name != "f" {
			continue
		}
		r := s.Reader(table, sqlserver.Limits{StatementTimeout: time.Minute, ChunkRows: 100, ChunkBytes: 1 << 20})
		for _, read := range []chunkFunc{r.Load, delta(r, 0, 1<<62), r.Keys} {
			var out wire.Lines
			c, errRead := read(ctx, "", &out)
			err = errors.Join(err, errRead)
			if c.Rows != out.N && errRead == nil || bytes.Count(out.Buf, []byte("\n")) != out.N {
				t.Errorf("chunk of %d rows has %d lines of %d", c.Rows, out.N, bytes.Count(out.Buf, []byte("\n")))
			}
			for line := range bytes.Lines(out.Buf) {
				if _, err := wire.SplitRow(bytes.TrimSuffix(line, []byte("\n")), nil); err != nil {
					t.Errorf("a line that is no row: %q", line)
				}
			}
		}
		_, errCount := s.Count(ctx, table)
		_, _, errHigh := s.High(ctx, table, 0, 1<<62)
		err = errors.Join(err, errCount, errHigh)
	}
	return err
}

// fedAuthInfo is a token (MS-TDS 2.2.7.12) of which the driver believes any
// count, and asks for memory for so many, up to 48 GiB. What has its byte is
// passed over: a server that says so ends the agent, if it wants to.
const fedAuthInfo = 0xEE

// Whatever a server answers in the place of one message, from the first packet
// on, is an answer or an error: nothing panics, and what comes out are rows.
func FuzzAnswers(f *testing.F) {
	db := sqlservertest.Open(f)
	columns, names, values := "id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL", "id", "1"
	for i, tt := range typeTests {
		columns += fmt.Sprintf(", c%d %s NULL", i, tt.column)
		names += fmt.Sprintf(", c%d", i)
		values += ", " + tt.values[0][0]
	}
	db.Exec(f, "CREATE TABLE {s}.f ("+columns+"); INSERT INTO {s}.f ("+names+") VALUES ("+values+"), (2"+string(bytes.Repeat([]byte(", NULL"), len(typeTests)))+")")
	live := &recorder{}
	s := db.Source(f, func(c *sqlserver.Config) { c.Encrypt, c.Dialer, c.Connections = sqlserver.EncryptOff, live, 1 })
	if err := visit(f, context.Background(), s); err != nil {
		f.Fatal(err)
	}
	type place struct{ tape, message int }
	var places []place
	for i, tape := range live.tapes {
		for j, m := range tape.messages {
			f.Add(byte(len(places)), m)
			places = append(places, place{i, j})
		}
	}
	f.Add(byte(0), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, which byte, answer []byte) {
		if bytes.IndexByte(answer, fedAuthInfo) >= 0 {
			return
		}
		p := &player{}
		for _, tape := range live.tapes {
			p.tapes = append(p.tapes, slices.Clone(tape.messages))
		}
		at := places[int(which)%len(places)]
		p.tapes[at.tape][at.message] = answer
		s, err := sqlserver.Open(sqlserver.Config{Server: "127.0.0.1", Port: 1, User: "u", Password: "p",
			Encrypt: sqlserver.EncryptOff, Dialer: p, Connections: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = visit(t, t.Context(), s)
		if bytes.Equal(answer, live.tapes[at.tape].messages[at.message]) && err != nil {
			t.Errorf("what a good server says: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
