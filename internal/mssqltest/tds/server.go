package tds

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Options are what a server can be told at its start. The zero value is good.
type Options struct {
	// Encryption is what the server offers.
	Encryption Encryption
	// Certificate is that of the server; nil makes a self-signed one for
	// localhost, 127.0.0.1 and ::1.
	Certificate *tls.Certificate
	// ChunkSize is the size in bytes of the chunks in which MAX types are
	// sent, at most; 0 is 8,000.
	ChunkSize int
	// MaxRequest is the size in bytes of the largest request; 0 is 64 MiB.
	MaxRequest int
	// LoginTimeout bounds the time from the connection to the answered
	// login; 0 is a minute.
	LoginTimeout time.Duration
	// OnError is told why a connection ended, other than by a client that
	// closed it in time. It may be called by several goroutines at once.
	OnError func(error)
}

// A Server answers clients of the protocol by a Handler.
type Server struct {
	handler Handler
	options Options
	tls     *tls.Config // nil without encryption
	faults  Faults

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[interface{ Close() error }]struct{} // listeners and connections
}

// NewServer makes a server; it serves nothing yet.
func NewServer(h Handler, o Options) (*Server, error) {
	o.ChunkSize = cmp.Or(o.ChunkSize, 8000)
	o.MaxRequest = cmp.Or(o.MaxRequest, 64<<20)
	o.LoginTimeout = cmp.Or(o.LoginTimeout, time.Minute)
	if o.Encryption != EncryptionUnavailable && o.Certificate == nil {
		c, err := SelfSigned("localhost", "127.0.0.1", "::1")
		if err != nil {
			return nil, err
		}
		o.Certificate = c
	}
	s := &Server{handler: h, options: o, open: map[interface{ Close() error }]struct{}{}}
	if o.Encryption != EncryptionUnavailable {
		s.tls = &tls.Config{
			Certificates: []tls.Certificate{*o.Certificate},
			MinVersion:   tls.VersionTLS12,
			// A ticket would be a packet that no client of TDS awaits.
			SessionTicketsDisabled: true,
			// One packet is one record, as SQL Server sends them.
			DynamicRecordSizingDisabled: true,
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Faults is what the server does wrong on purpose.
func (s *Server) Faults() *Faults { return &s.faults }

// Certificate is what the server shows its clients; nil without encryption or
// if the caller gave a certificate without its Leaf.
func (s *Server) Certificate() *x509.Certificate {
	if s.tls == nil {
		return nil
	}
	return s.options.Certificate.Leaf
}

// Serve accepts connections until Close, which closes l and makes Serve return
// nil, or until l fails.
func (s *Server) Serve(l net.Listener) error {
	if !s.track(l) {
		return l.Close()
	}
	defer s.untrack(l)
	for {
		c, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("tds: accept: %w", err)
		}
		s.ServeConn(c)
	}
}

// ServeConn serves one connection, which may be in memory, in the background.
// The server owns it from now on.
func (s *Server) ServeConn(raw net.Conn) {
	if s.faults.drop.Load() || !s.track(raw) {
		_ = raw.Close()
		return
	}
	go func() {
		defer s.untrack(raw)
		c := &conn{server: s, raw: raw, rw: raw, requests: make(chan request), attention: make(chan struct{}, 1)}
		err := c.serve(s.ctx)
		if err != nil && s.options.OnError != nil && s.ctx.Err() == nil &&
			!errors.Is(err, errEnded) && !errors.Is(err, errCut) {
			s.options.OnError(err)
		}
	}()
}

// DialContext opens a connection in memory, whatever the address: with
// HostName, a Server is the HostDialer of a go-mssqldb connector that needs no
// network and no name service.
func (s *Server) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.ServeConn(server)
	return client, nil
}

// HostName is a name of the server's own certificate.
func (s *Server) HostName() string { return "localhost" }

// Close ends all listeners and connections and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.cancel()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// track makes Close close c and wait for untrack; false after Close.
func (s *Server) track(c interface{ Close() error }) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *Server) untrack(c interface{ Close() error }) {
	_ = c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.wg.Done()
}
