package postgres

import (
	"context"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sums/upkeep"
)

// Store is a cloud.Store in a Postgres database. Several processes may share
// the database.
type Store struct {
	pool     *connections
	options  Options
	datasets registry
	meters   meters
	layouts  layouts
	upkeep   *upkeep.Queue
	stages   bool // no batch goes inline: for tests
}

var _ cloud.Store = (*Store)(nil)

// Open connects to the database of the connection string (a URL or keywords;
// see "Connection Strings" in the PostgreSQL manual, TLS with sslmode and
// sslrootcert) and brings it to the newest migration. It fails with a hint
// when the server is older than Postgres 13, its encoding is not UTF-8, or
// other instances have all the connections there may be.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	o = o.withDefaults()
	pool, err := openPool(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool); err != nil {
		pool.close()
		return nil, err
	}
	s := &Store{pool: pool, options: o}
	s.upkeep = upkeep.New(s.tend, s.lacking, o.Logger)
	return s, nil
}

// Connections is how many connections the store may have at once. It changes
// as other instances come and go.
func (s *Store) Connections() int { return s.pool.places.number() }

// Refused is how often the server had no connection left although the slots
// were not all taken: others have more than they are left.
func (s *Store) Refused() uint64 { return s.pool.refused.Load() }

// readyWithin bounds Ready: a store whose connections are all busy for so
// long cannot serve now.
const readyWithin = 2 * time.Second

// Ready reports whether a connection is free and the server answers.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return unavailable(s.pool.Ping(ctx))
}

// Close waits until every connection is given back and closes them.
func (s *Store) Close() error {
	s.upkeep.Close()
	s.pool.close()
	return nil
}
