//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	_ "github.com/microsoft/go-mssqldb" // the writers' driver
	"golang.org/x/sync/errgroup"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/plaintext"
)

// roleSource is the role of the process in which the stand-in and its writers
// are.
const roleSource = "source"

const (
	agentLogin  = "tidemark"
	agentSecret = "only for reading 1"
)

// An order to the source's process, one JSON document.
type order struct {
	Scale float64 `json:"scale,omitempty"` // first: make the tables
	Write *load   `json:"write,omitempty"` // begin to write
	Rest  bool    `json:"rest,omitempty"`  // end all writers
	Take  bool    `json:"take,omitempty"`  // what is new in the ledger
	Rows  string  `json:"rows,omitempty"`  // all rows of a table
	Get   string  `json:"get,omitempty"`   // a page, from where the source is
}

// load is how much is written.
type load struct {
	Writers int           `json:"writers"`
	Wait    time.Duration `json:"wait"` // of each between its transactions
	Seed    uint64        `json:"seed"`
}

// done is the answer to an order.
type done struct {
	Error string            `json:"error,omitempty"`
	Addr  string            `json:"addr,omitempty"`
	Page  page              `json:"page"`
	Rows  map[string]string `json:"rows,omitempty"` // by key
	Text  string            `json:"text,omitempty"`
}

// A shop is what the source's process holds.
type shop struct {
	server *mssqltest.Server
	db     *sql.DB
	ledger *ledger
	scale  float64
	stop   context.CancelFunc
	group  *errgroup.Group
}

// serveSource carries out orders until there are no more.
func serveSource(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	s := &shop{ledger: newLedger()}
	if s.server, err = mssqltest.Start(mssqltest.Options{Database: "shop", DB: engine.DatabaseOptions{AllowSnapshot: true}, KeepStatements: 1}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.server.Close()) }()
	s.server.AddLogin(&engine.Login{Name: agentLogin, Password: agentSecret, SelectAll: true, ViewDefinition: true})
	if s.db, err = sql.Open("sqlserver", s.server.DSN("sa", "app name", "shop")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.rest(), s.db.Close()) }()
	answers, orders := json.NewEncoder(out), json.NewDecoder(in)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var d done
		if err := s.carryOut(ctx, o, &d); err != nil {
			d.Error = err.Error()
		}
		if err := answers.Encode(d); err != nil {
			return err
		}
	}
}

func (s *shop) carryOut(ctx context.Context, o order, d *done) (err error) {
	switch {
	case o.Scale > 0:
		d.Addr, s.scale = s.server.Addr(), o.Scale
		return s.fill(ctx)
	case o.Write != nil:
		return s.write(ctx, *o.Write)
	case o.Rest:
		err = s.rest()
		d.Page = s.ledger.take()
		return err
	case o.Take:
		d.Page = s.ledger.take()
		return nil
	case o.Rows != "":
		d.Rows, err = s.rows(ctx, tableNamed(o.Rows))
		return err
	case o.Get != "":
		d.Text, err = get(ctx, o.Get)
		return err
	}
	return errors.New("an order without content")
}

func (s *shop) fill(ctx context.Context) error {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same rows in every run
	for _, t := range tables {
		err := s.server.DB().Exec(ctx, t.create...)
		if err == nil {
			err = s.server.DB().Fill(t.dataset(), t.size(s.scale), func(i int) []any { return t.row(r, i) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) write(ctx context.Context, l load) error {
	if s.group != nil {
		return errors.New("there are writers already")
	}
	var stop context.Context
	stop, s.stop = context.WithCancel(ctx)
	s.group, stop = errgroup.WithContext(stop)
	for i := range l.Writers {
		w := newWriter(s.db, l.Seed, s.ledger, i, l.Writers, l.Wait, s.scale)
		s.group.Go(func() error { return w.run(stop) })
	}
	return nil
}

// rest ends the writers; their errors are the soak's.
func (s *shop) rest() error {
	if s.group == nil {
		return nil
	}
	s.stop()
	err := s.group.Wait()
	s.group = nil
	return err
}

// rows reads a table with a plain SELECT.
func (s *shop) rows(ctx context.Context, t table) (map[string]string, error) {
	names := t.columns
	if t.versioned {
		names = append(names[:len(names):len(names)], "rv")
	}
	all := map[string]string{}
	err := plaintext.EachRow(ctx, s.db, "SELECT "+strings.Join(names, ", ")+" FROM "+t.dataset(), t.versioned, func(texts []string) {
		all[t.keyText(texts)] = strings.Join(texts, " ")
	})
	return all, err
}

// get fetches a page.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	// A connection of its own, which is not left with the server it asks about.
	t := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return string(body), err
}
