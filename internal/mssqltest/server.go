package mssqltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

// Options of a Server. The zero value is a server with the database "site"
// and the login "sa".
type Options struct {
	Database string                 // name of the first database; "site" when empty
	DB       engine.DatabaseOptions // its options
	Engine   engine.Options
	TDS      tds.Options
	Password string // of sa, who may do everything; "Stand-in 1" when empty
	// KeepStatements is how many statements the log holds; 10,000 when 0.
	KeepStatements int
	// InMemory makes a server without a listener, which Dialer alone reaches:
	// for tests with virtual time, where a real socket would never be idle.
	InMemory bool
}

// A Server is a running stand-in.
type Server struct {
	engine   *engine.Engine
	tds      *tds.Server
	listener net.Listener
	served   chan error
	first    *DB
	logins   map[string]string // passwords by name
	log      *statementLog
	faults   faultList
}

// Start makes a server that listens on a free port of 127.0.0.1, unless it is
// one in memory.
func Start(o Options) (*Server, error) {
	s := &Server{engine: engine.New(o.Engine), served: make(chan error, 1), logins: map[string]string{},
		log: newStatementLog(cmp.Or(o.KeepStatements, 10_000), o.Engine.Now)}
	s.first = s.AddDatabase(cmp.Or(o.Database, "site"), o.DB)
	s.AddLogin(&engine.Login{Name: "sa", Password: cmp.Or(o.Password, "Stand-in 1"), Admin: true})
	var err error
	if s.tds, err = tds.NewServer(handler{s}, o.TDS); err != nil {
		return nil, fmt.Errorf("mssqltest: %w", err)
	}
	if o.InMemory {
		return s, nil
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("mssqltest: %w", err)
	}
	go func() { s.served <- s.tds.Serve(s.listener) }()
	return s, nil
}

// Close ends all connections and waits for them.
func (s *Server) Close() error {
	err := s.tds.Close()
	if s.listener == nil {
		return err
	}
	return errors.Join(err, <-s.served)
}

// Addr is host:port of the listener; a name that nobody resolves where there
// is none.
func (s *Server) Addr() string {
	if s.listener == nil {
		return "mssqltest.invalid:1433"
	}
	return s.listener.Addr().String()
}

// DB is the first database.
func (s *Server) DB() *DB { return s.first }

// AddDatabase makes an empty database.
func (s *Server) AddDatabase(name string, o engine.DatabaseOptions) *DB {
	return &DB{s.engine.AddDatabase(name, o), s}
}

// AddLogin makes a login known, or replaces it.
func (s *Server) AddLogin(l *engine.Login) *engine.Login {
	s.logins[l.Name] = l.Password
	s.engine.AddLogin(l)
	return l
}

// DSN is a go-mssqldb URL for a login and the first database, without
// encryption. More holds further parameters, name and value in turn, of which
// a later one replaces an earlier one ("database", "encrypt" and so on).
func (s *Server) DSN(user string, more ...string) string {
	q := url.Values{"database": {s.first.Name()}, "encrypt": {"disable"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	u := url.URL{Scheme: "sqlserver", User: url.UserPassword(user, s.logins[user]), Host: s.Addr(), RawQuery: q.Encode()}
	return u.String()
}

// Dialer opens connections in memory: set it as Dialer of a go-mssqldb
// connector, whatever the host of its DSN.
func (s *Server) Dialer() interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	HostName() string
} {
	return s.tds
}

// Network is what the protocol does wrong on purpose: cut connections, slow
// packets, refused logins.
func (s *Server) Network() *tds.Faults { return s.tds.Faults() }

// TLS is the protocol server, for its certificate.
func (s *Server) TLS() *tds.Server { return s.tds }

// Kill ends the session with a number as KILL does; false where there is none.
func (s *Server) Kill(spid int) bool { return s.engine.Kill(spid) }
