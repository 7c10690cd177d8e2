package main

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"time"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/internal/mssqltest"
	"tidemark/uploader"
)

// interval is between two cycles of each table: a site has a minute or more.
const interval = time.Second

// A site is everything that runs: both sides and the agent between them.
type site struct {
	dir    string
	server *mssqltest.Server
	shop   *sql.DB
	cloud  *cloudSide
	agent  *agent.Agent

	closers []func() error // in the order opened
}

// openSite opens all of it. Decided is told of every entry of the agent's
// journal. On an error nothing is left open.
func openSite(ctx context.Context, o options, r *rand.Rand, decided func(journal.Entry)) (s *site, err error) {
	s = new(site)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	dir, remove, err := openFolder(o.keep)
	if err != nil {
		return s, err
	}
	s.dir = dir
	s.closeLast(remove)
	if s.server, err = openStandIn(ctx, r); err != nil {
		return s, err
	}
	s.closeLast(s.server.Close)
	if s.shop, err = openShop(s.server); err != nil {
		return s, err
	}
	s.closeLast(s.shop.Close)
	log, file, err := openLog(dir, "cloud.log")
	if err != nil {
		return s, err
	}
	s.closeLast(file.Close)
	if s.cloud, err = openCloud(ctx, dir, log); err != nil {
		return s, err
	}
	s.closeLast(s.cloud.Close)
	if log, file, err = openLog(dir, "agent.log"); err != nil {
		return s, err
	}
	s.closeLast(file.Close)
	serves, err := s.serves()
	if err != nil {
		return s, err
	}
	if s.agent, err = agent.New(serves, agent.Options{StateDir: filepath.Join(dir, "state"), Log: log, Decided: decided}); err != nil {
		return s, err
	}
	s.closeLast(s.agent.Close)
	return s, nil
}

// serves is what a site's configuration file would say.
func (s *site) serves() (agent.Site, error) {
	client, err := uploader.New(uploader.Config{
		BaseURL: s.cloud.url, Customer: customer, Proxy: "none", UserAgent: "tidemark-demo",
		Key: func() (string, error) { return s.cloud.key, nil },
	})
	if err != nil {
		return agent.Site{}, err
	}
	source, err := openSource(s.server)
	if err != nil {
		return agent.Site{}, errors.Join(err, client.Close())
	}
	out := agent.SourceSite{Name: "shop", Source: source}
	for _, t := range tables {
		out.Tables = append(out.Tables, agent.TableSite{
			Dataset: t.name, Schema: "dbo", Name: t.name,
			Interval: interval, ForcedSkips: t.forced, MaxSkips: t.skips, VerifyEvery: t.verify,
		})
	}
	return agent.Site{Customer: customer, Host: "demo", Cloud: client, Sources: []agent.SourceSite{out}}, nil
}

func (s *site) closeLast(fn func() error) { s.closers = append(s.closers, fn) }

// Close closes what is open, the last first.
func (s *site) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
