package sqlserver

import (
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tidemark/internal/fault"
)

// Idle connections are kept for the next cycle, but not for ever: firewalls
// drop what is silent, and a failover leaves old addresses behind.
const (
	connMaxIdle = 10 * time.Minute
	connMaxLife = time.Hour
)

// A Source is one database. Its methods may be called from several
// goroutines; what a Reader does is for one.
type Source struct {
	db     *sql.DB
	limits Limits

	snapshot   atomic.Int32  // of type isolation
	detecting  chan struct{} // held while facts are found out
	facts      atomic.Pointer[facts]
	catalog    atomic.Pointer[[]string] // notes of the last reading of the catalog
	collations sync.Map                 // name -> collationUse
	slowCount  sync.Map                 // object id -> true: counting in one statement took too long
}

// Open prepares a source; it does not connect yet. An error is one of the
// configuration.
func Open(c Config) (*Source, error) {
	const op = "open source"
	conn, err := newConnector(c)
	if err != nil {
		return nil, fault.New(op, err, "correct the source's connection settings in the configuration file")
	}
	if c.Connections < 0 {
		return nil, fault.New(op, errors.New("connections is below 0"), "")
	}
	n := c.Connections
	if n == 0 {
		n = 2
	}
	db := sql.OpenDB(conn)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(connMaxIdle)
	db.SetConnMaxLifetime(connMaxLife)
	return &Source{db: db, detecting: make(chan struct{}, 1), limits: c.Limits.or(defaultLimits)}, nil
}

// Close closes the source's connections. No method may be running.
func (s *Source) Close() error { return s.db.Close() }
