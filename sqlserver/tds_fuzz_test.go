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
	"testing/synctest"
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
type player struct {
	tapes  [][][]byte
	played sync.WaitGroup
}

func (p *player) DialContext(context.Context, string, string) (net.Conn, error) {
	if len(p.tapes) == 0 {
		return nil, errors.New("the server is gone")
	}
	messages := p.tapes[0]
	p.tapes = p.tapes[1:]
	client, server := net.Pipe()
	p.played.Go(func() {
		defer server.Close()
		for _, m := range messages {
			if hear(server) != nil {
				return
			}
			if _, err := server.Write(m); err != nil {
				return
			}
		}
		for hear(server) == nil {
		}
	})
	return client, nil
}

// hear reads one message: packets up to one with the mark of the last
// (MS-TDS 2.2.3.1).
func hear(r io.Reader) error {
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint16(head[2:]))-int64(len(head))); err != nil {
			return err
		}
		if head[1]&1 != 0 {
			return nil
		}
	}
}

// visit does what an agent does with a source, and goes on where it can.
func visit(t interface{ Errorf(string, ...any) }, ctx context.Context, s *sqlserver.Source) (err error) {
	_, errProbe := s.Probe(ctx, nil)
	tables, errCatalog := s.Catalog(ctx)
	err = errors.Join(errProbe, errCatalog)
	for _, table := range tables {
		if table.Name != "f" {
			continue
		}
		r := s.Reader(table, sqlserver.Limits{StatementTimeout: 5 * time.Second, ChunkRows: 100, ChunkBytes: 1 << 20})
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

// Whatever a server answers in the place of one message, from the first packet
// on, is an answer or an error: nothing panics, nothing waits longer than its
// deadline, and what comes out are rows.
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
		synctest.Test(t, func(t *testing.T) {
			p := &player{}
			defer p.played.Wait()
			for _, tape := range live.tapes {
				p.tapes = append(p.tapes, slices.Clone(tape.messages))
			}
			at := places[int(which)%len(places)]
			p.tapes[at.tape][at.message] = answer
			c := sqlserver.Config{Server: "127.0.0.1", Port: 1, User: "u", Password: "p", Encrypt: sqlserver.EncryptOff, Dialer: p, Connections: 1}
			s, err := sqlserver.Open(c)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			begun := time.Now()
			err = visit(t, t.Context(), s)
			if bytes.Equal(answer, live.tapes[at.tape].messages[at.message]) && err != nil {
				t.Errorf("what a good server says: %v", err)
			}
			if took := time.Since(begun); took > 10*time.Minute { // of the bubble's time
				t.Errorf("it took %v", took)
			}
		})
	})
}
