package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

const (
	connectTime = 30 * time.Second       // at most, to reach the server
	greetTime   = 30 * time.Second       // for the first statements of a session
	lookTime    = 30 * time.Second       // for a look at the others
	pingTime    = 10 * time.Second       // until a session that was idle counts as dead
	slotPause   = 200 * time.Millisecond // between attempts, with jitter
	partTime    = 5 * time.Second        // to end a session
	warnEvery   = time.Minute
	growFactor  = 10 // looks of one that may have more are so much closer
)

// connections are a pool that has as many as its share of the server allows at
// the time. Every session holds a slot from its beginning to its end, so that
// all instances together never work in more; the share decides who has how
// many.
type connections struct {
	o        Options
	instance int32 // 0: it is not counted
	pool     *pgxpool.Pool
	places   places
	limit    atomic.Int64 // what the server allows this user
	slots    atomic.Int64
	database atomic.Uint32
	begun    time.Time
	notYet   atomic.Int64 // how long after begun nobody tries to get a slot
	warned   atomic.Int64 // how long after begun it warns next that the server is full
	refused  atomic.Uint64

	stop context.CancelFunc
	done sync.WaitGroup
}

// connect opens the first connection and takes the share.
func connect(ctx context.Context, config *pgxpool.Config, o Options) (*connections, error) {
	c := &connections{o: o, begun: time.Now()}
	if !o.Passing {
		c.instance = 1 + rand.Int32N(math.MaxInt32)
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = int32(o.Connections), 0, 0
	config.PingTimeout = pingTime
	config.ConnConfig.ConnectTimeout = min(config.ConnConfig.ConnectTimeout, connectTime)
	config.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
		if int64(time.Since(c.begun)) < c.notYet.Load() {
			return errNoSlot
		}
		return nil
	}
	config.AfterConnect = c.greet
	var err error
	if c.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	c.places.resize(1)
	if _, err = c.look(ctx); err != nil {
		c.pool.Close()
		if errors.Is(err, context.DeadlineExceeded) { // nobody answers, which passes
			err = fault.New("reach the server", fmt.Errorf("%w: %w", cloud.ErrUnavailable, err), "is it running, and are host and port right?")
		}
		return nil, err
	}
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	if !o.Passing {
		c.done.Go(func() { c.balance(ctx) })
	}
	return c, nil
}

// greet checks the server and takes a slot for a new session.
func (c *connections) greet(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	limit, database, err := checkServer(ctx, conn)
	if err != nil {
		return err
	}
	n, err := slotsOf(limit, c.o.Reserve)
	if err != nil {
		return err
	}
	c.limit.Store(int64(limit))
	c.slots.Store(int64(n))
	c.database.Store(database)
	if err = takeSlot(ctx, conn, n, c.instance); errors.Is(err, errNoSlot) {
		c.later()
	}
	return err
}

// later has nobody try for a while.
func (c *connections) later() {
	c.notYet.Store(int64(time.Since(c.begun) + slotPause + rand.N(slotPause)))
}

// balance follows the share until ctx ends.
func (c *connections) balance(ctx context.Context) {
	next, failed := c.o.Rebalance, false
	for sleep(ctx, next/2+rand.N(next)) == nil {
		next = c.o.Rebalance
		grows, err := c.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failed:
			c.o.Logger.Warn("the share of the database's connections stays as it is", zap.Error(err))
		case grows:
			next /= growFactor
		}
		failed = err != nil
	}
}

// look sets the share by who else is there. Grows says that another look may
// find more, because others have too many.
func (c *connections) look(ctx context.Context) (grows bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	conn, err := c.acquire(ctx, true)
	if err != nil {
		return false, err
	}
	held, instances, err := countSlots(ctx, conn.Conn(), c.database.Load(), c.instance)
	conn.Release()
	if err != nil {
		return false, err
	}
	n, slots := c.o.Connections, int(c.slots.Load())
	if !c.o.Passing {
		n, grows = share(n, slots, instances, int(c.pool.Stat().TotalConns()), held)
	}
	if before := c.places.resize(n); before != n {
		c.o.Logger.Info("the share of the database's connections", zap.Int("connections", n), zap.Int("before", before),
			zap.Int("instances", instances), zap.Int("of", slots))
	}
	if c.tooMany() {
		for _, idle := range c.pool.AcquireAllIdle(ctx) {
			c.put(idle)
		}
	}
	return grows, nil
}

func (c *connections) tooMany() bool { return int(c.pool.Stat().TotalConns()) > c.places.number() }

// put gives a connection back to the pool, or ends it where there are too
// many.
func (c *connections) put(conn *pgxpool.Conn) {
	if !c.tooMany() {
		conn.Release()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), partTime)
	defer cancel()
	_ = conn.Hijack().Close(ctx) // its slot is free when the server has noticed
}

// close waits until all are given back.
func (c *connections) close() {
	c.stop()
	c.done.Wait()
	c.pool.Close()
}

// acquire waits for a connection, in turn or ahead of all others. While other
// instances have more than their share it is tried again for as long as
// the options say.
func (c *connections) acquire(ctx context.Context, ahead bool) (*lent, error) {
	if err := c.places.take(ctx, ahead); err != nil {
		return nil, err
	}
	for end := time.Now().Add(c.o.Patience); ; {
		conn, err := c.pool.Acquire(ctx)
		if err == nil {
			return &lent{conn: conn, of: c}, nil
		}
		if code(err) == codeTooMany {
			c.later()
			c.refused.Add(1)
			c.warnFull(err)
			err = errors.Join(errNoSlot, err)
		}
		if !errors.Is(err, errNoSlot) || time.Now().After(end) || sleep(ctx, slotPause/2+rand.N(slotPause)) != nil {
			c.places.give()
			return nil, err
		}
	}
}

// warnFull says that others take more of the server than they are left, once in
// a while.
func (c *connections) warnFull(err error) {
	now, next := int64(time.Since(c.begun)), c.warned.Load()
	if now >= next && c.warned.CompareAndSwap(next, now+int64(warnEvery)) {
		c.o.Logger.Warn("the server has no connection left: others take more than they are left", zap.Error(err))
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
