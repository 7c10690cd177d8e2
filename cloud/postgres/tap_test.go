package postgres_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A tap is between a store and its server, and reads along: the plans that the
// server tells as notices, and the rows that are copied in.
type tap struct {
	startup func([]byte) []byte // changes the first message, at its length; nil: not
	l       net.Listener
	server  string
	wg      sync.WaitGroup

	mu     sync.Mutex
	on     bool
	plans  []string
	copies []copied
}

// copied is a COPY and how what it copies begins.
type copied struct{ sql, first string }

func newTap(t *testing.T, server string) *tap {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{l: l, server: server}
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *tap) port() string {
	_, port, _ := net.SplitHostPort(p.l.Addr().String())
	return port
}

func (p *tap) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = true
}

// saw tells whether a plan of a statement with a text has come since begin.
func (p *tap) saw(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.plans, func(plan string) bool { return strings.Contains(plan, text) })
}

func (p *tap) end() ([]string, []copied) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = false
	return slices.Clone(p.plans), slices.Clone(p.copies)
}

func (p *tap) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close()
		var size [4]byte // the first message has no kind
		if _, err := io.ReadFull(client, size[:]); err != nil {
			return
		}
		rest := make([]byte, binary.BigEndian.Uint32(size[:])-4)
		if _, err := io.ReadFull(client, rest); err != nil {
			return
		}
		if p.startup != nil {
			rest = p.startup(rest)
		}
		if _, err := server.Write(append(size[:], rest...)); err != nil {
			return
		}
		var sql string
		messages(client, server, func(kind byte, body []byte) {
			switch kind {
			case 'Q', 'P':
				if i := max(bytes.Index(body, []byte("COPY ")), bytes.Index(body, []byte("copy "))); i >= 0 {
					sql = strings.TrimRight(string(body[i:]), "\x00")
				}
			case 'd':
				if p.on && sql != "" {
					p.copies = append(p.copies, copied{sql, string(body[:min(len(body), 64)])})
					sql = ""
				}
			}
		}, &p.mu)
	})
	both.Go(func() {
		defer client.Close()
		messages(server, client, func(kind byte, body []byte) {
			if i := bytes.Index(body, []byte("plan:\n")); kind == 'N' && i >= 0 && p.on {
				text, _, _ := bytes.Cut(body[i+len("plan:\n"):], []byte{0})
				p.plans = append(p.plans, string(text))
			}
		}, &p.mu)
	})
	both.Wait()
}

// messages hands messages on, after see has seen them.
func messages(from io.Reader, to io.Writer, see func(kind byte, body []byte), mu *sync.Mutex) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		mu.Lock()
		see(head[0], body)
		mu.Unlock()
		if _, err := to.Write(append(head[:], body...)); err != nil {
			return
		}
	}
}
