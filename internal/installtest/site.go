package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
)

const (
	customer = "acme"
	login    = "tidemark"
	password = "only for reading 1"
)

// A site is what a system under test finds around it: a database, and a cloud.
type site struct {
	dir    string
	sql    *mssqltest.Server
	store  *sqlite.Store
	key    string
	url    string
	server *http.Server
	served chan error
	next   int // key
}

func openSite(ctx context.Context) (s *site, err error) {
	s = &site{served: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "tidemark-installtest-"); err != nil {
		return s, err
	}
	if s.sql, err = mssqltest.Start(mssqltest.Options{Database: "shop", DB: engine.DatabaseOptions{AllowSnapshot: true}, KeepStatements: 1}); err != nil {
		return s, err
	}
	s.sql.AddLogin(&engine.Login{Name: login, Password: password, SelectAll: true, ViewDefinition: true})
	for _, table := range []string{"orders", "lines", "stock", "parts"} {
		if err := s.sql.DB().Exec(ctx, fmt.Sprintf("CREATE TABLE dbo.%[1]s (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL); CREATE INDEX ix_%[1]s ON dbo.%[1]s (rv)", table)); err != nil {
			return s, err
		}
	}
	if s.store, err = sqlite.Open(ctx, filepath.Join(s.dir, "cloud.db")); err != nil {
		return s, err
	}
	secret, key := cloud.NewKey(customer, time.Now())
	if err := s.store.AddCustomer(ctx, cloud.Customer{ID: customer, Created: time.Now()}, key); err != nil {
		return s, err
	}
	s.key = secret
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	s.url = "http://" + l.Addr().String()
	s.server = &http.Server{Handler: cloud.New(cloud.Config{Store: s.store}), ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.Serve(l) }()
	return s, nil
}

func (s *site) Close() error {
	var errs []error
	if s.server != nil {
		errs = append(errs, s.server.Close())
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.sql != nil {
		errs = append(errs, s.sql.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// config is the configuration that the tables and further lines make.
func (s *site) config(tables []string, more ...string) string {
	host, port, err := net.SplitHostPort(s.sql.Addr())
	if err != nil {
		panic(err) // a listener's address has both
	}
	return fmt.Sprintf(`customer: %s
cloud:
  url: %s
  key: ${secret:cloud.key}
defaults:
  interval: 1s
source:
  server: %s
  port: %s
  database: shop
  user: %s
  password: ${secret:sql.password}
  encrypt: "off"
  tables: [%s]
%s`, customer, s.url, host, port, login, strings.Join(tables, ", "), strings.Join(append(more, ""), "\n"))
}

// insert adds rows to a table.
func (s *site) insert(ctx context.Context, table string, n int) error {
	for range n {
		s.next++
		if err := s.sql.DB().Exec(ctx, fmt.Sprintf("INSERT INTO dbo.%s (id, v) VALUES (%d, %d)", table, s.next, s.next)); err != nil {
			return err
		}
	}
	return nil
}

// arrive inserts rows and waits until the cloud has as many as the database.
func (s *site) arrive(ctx context.Context, table string) error {
	if err := s.insert(ctx, table, 10); err != nil {
		return err
	}
	return s.equal(ctx, table)
}

func (s *site) equal(ctx context.Context, table string) error {
	here, err := s.sql.DB().Query(ctx, "SELECT id FROM dbo."+table)
	if err != nil {
		return err
	}
	return until(ctx, 3*time.Minute, fmt.Sprintf("%d rows of %s in the cloud", len(here), table), func(ctx context.Context) (bool, error) {
		n := 0
		err := s.store.Rows(ctx, customer, "dbo."+table, func(cloud.Row) error { n++; return nil })
		return n == len(here), err
	})
}
