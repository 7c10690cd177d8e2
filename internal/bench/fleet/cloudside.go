package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/postgres"
	"tidemark/cloud/scrub"
)

// A cloudside is the cloud of system A: the API over the Postgres store, on
// loopback, by the simulated clock.
type cloudside struct {
	dsn, url string
	clock    *clock
	recorder *recorder
	down     atomic.Bool // agents do not reach it

	address string
	store   *postgres.Store
	costs   *cost.Keeper
	board   *cloud.Board
	scrubs  []scrub.Table // still to do in this round
	stop    func() error
}

func newCloudside(ctx context.Context, dsn string, c *clock) (*cloudside, error) {
	s := &cloudside{dsn: dsn, clock: c, recorder: newRecorder(c), address: "127.0.0.1:0"}
	return s, s.start(ctx)
}

// start opens the store and serves, as `tidemark-cloud serve` does with its
// defaults.
func (s *cloudside) start(ctx context.Context) (err error) {
	if s.store, err = postgres.Open(ctx, s.dsn, postgres.Options{}); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return errors.Join(err, s.store.Close())
	}
	s.address = l.Addr().String() // the same when it starts again
	s.url = "http://" + s.address
	s.costs = &cost.Keeper{Meter: cost.NewMeter(s.clock.Now()), Store: s.store, Source: s.store}
	s.board = &cloud.Board{Store: s.store}
	s.store.CatchUp()
	server := cloud.New(cloud.Config{Store: s.store, Costs: s.costs.Meter, Now: s.clock.Now})
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	var ended error
	serving.Go(func() { ended = server.Serve(ctx, l, nil) })
	s.stop = func() error {
		cancel()
		serving.Wait()
		s.recorder.idle()
		return errors.Join(ended, s.store.Close())
	}
	s.down.Store(false)
	return nil
}

// outage takes the API away until start.
func (s *cloudside) outage() error {
	s.down.Store(true)
	return s.stop()
}

// How often the server does something by itself: see package cost, rollout and
// scrub.
const (
	looksAtCosts    = 15 * time.Second
	looksAtRollouts = 10 * time.Second
	scrubsAll       = 7 * 24 * time.Hour
)

// upkeep is what a server does by itself in one minute.
func (s *cloudside) upkeep(ctx context.Context, now time.Time) error {
	if s.down.Load() {
		return nil
	}
	for range time.Minute / looksAtCosts {
		s.costs.Look(ctx)
	}
	if err := s.store.KeepCosts(ctx, s.costs.Meter.Turn(now)); err != nil {
		return err
	}
	for range time.Minute / looksAtRollouts {
		if _, err := s.board.Rollouts(ctx); err != nil {
			return err
		}
	}
	return nil
}

// scrub is what the scrubber does in an hour: a part of all tables. It reads
// their rows, which no request of a quiet fleet does.
func (s *cloudside) scrub(ctx context.Context, customers int) error {
	if s.down.Load() {
		return nil
	}
	if len(s.scrubs) == 0 {
		for i := range customers {
			for _, k := range kinds[:initial] {
				s.scrubs = append(s.scrubs, scrub.Table{Customer: customerID(i), Name: k.name})
			}
		}
	}
	n := min(len(s.scrubs), 1+customers*initial*int(time.Hour)/int(scrubsAll))
	for _, t := range s.scrubs[:n] {
		wrong, err := s.store.Scrub(ctx, t.Customer, t.Name)
		if err != nil {
			return err
		}
		if wrong > 0 {
			return errors.New("a summary is wrong: " + t.Customer + " " + t.Name)
		}
	}
	s.scrubs = s.scrubs[n:]
	return nil
}

// caughtUp waits until every table that is loaded has a summary.
func (s *cloudside) caughtUp(ctx context.Context, conn *pgx.Conn) error {
	began, first := time.Now(), -1
	for lacking := -1; lacking != 0; {
		err := conn.QueryRow(ctx, `SELECT count(*) FROM tidemark.versions v LEFT JOIN tidemark.summaries s USING (customer, name)
			WHERE v.loaded AND (v.summary = 0 OR s.ready IS NOT TRUE)`).Scan(&lacking)
		if err != nil {
			return err
		}
		if first < 0 {
			first = lacking
		}
		if time.Since(began) > mostCatchingUp {
			return fmt.Errorf("%d tables have no summary after %s", lacking, mostCatchingUp)
		}
		if lacking > 0 && !sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	note("summaries of the last %d tables made in %s", first, time.Since(began).Round(time.Second))
	return nil
}

const mostCatchingUp = 15 * time.Minute

// enrol adds a customer and returns its key.
func (s *cloudside) enrol(ctx context.Context, number int) (string, error) {
	secret, key := cloud.NewKey(customerID(number), s.clock.Now())
	return secret, s.store.AddCustomer(ctx, cloud.Customer{ID: customerID(number), Created: s.clock.Now()}, key)
}
