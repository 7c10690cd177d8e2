package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// A proxy stands between the API and Postgres and counts the statements that
// pass (PostgreSQL manual, "Message Flow"): simple queries, and executions of
// prepared ones.
type proxy struct {
	listener net.Listener
	to       string
	conns    sync.WaitGroup

	mu     sync.Mutex
	counts []*atomic.Int64 // of each connection
}

// statements returns how many each connection has carried.
func (p *proxy) statements() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]int64, len(p.counts))
	for i, n := range p.counts {
		all[i] = n.Load()
	}
	return all
}

// most is the most that one connection has carried since: the rest is upkeep,
// which begins when a batch is committed.
func (p *proxy) most(since []int64) (most int64) {
	for i, n := range p.statements() {
		if i < len(since) {
			n -= since[i]
		}
		most = max(most, n)
	}
	return most
}

// newProxy returns a proxy, and the connection string that leads through it.
func newProxy(ctx context.Context, dsn string) (*proxy, string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", err
	}
	p := &proxy{to: u.Host}
	if p.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, "", err
	}
	u.Host = p.listener.Addr().String()
	p.conns.Go(func() {
		for {
			client, err := p.listener.Accept()
			if err != nil { // it is closed
				return
			}
			p.conns.Go(func() { p.carry(ctx, client) })
		}
	})
	return p, u.String(), nil
}

// close waits for all connections to end.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.conns.Wait()
	return err
}

func (p *proxy) carry(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := new(net.Dialer).DialContext(ctx, "tcp", p.to)
	if err != nil {
		return // the client sees its connection end
	}
	defer func() { _ = server.Close() }()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server) // ends with either connection
		_ = client.Close()
	})
	n := new(atomic.Int64)
	p.mu.Lock()
	p.counts = append(p.counts, n)
	p.mu.Unlock()
	_ = forward(server, client, n) // ends with either connection
	_ = server.Close()
	back.Wait()
}

var errMessage = errors.New("not a message of the protocol")

// forward copies messages and counts statements: the first message has no type.
func forward(server io.Writer, client io.Reader, n *atomic.Int64) error {
	for typed := 0; ; typed = 1 {
		head := make([]byte, 4+typed)
		if _, err := io.ReadFull(client, head); err != nil {
			return err
		}
		size := int64(binary.BigEndian.Uint32(head[typed:])) - 4
		if size < 0 {
			return errMessage
		}
		if typed == 1 && (head[0] == 'Q' || head[0] == 'E') {
			n.Add(1)
		}
		if _, err := server.Write(head); err != nil {
			return err
		}
		if _, err := io.CopyN(server, client, size); err != nil {
			return err
		}
	}
}
