package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/postgres"
	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A replica is a fleet.Store that is connected when it can be. The API does not
// depend on it: a replica that is away, or that lags behind a migration just
// made, keeps nobody from starting; the page says so until it is there.
type replica struct {
	url  string
	held chan *postgres.Replica // one: nil until it is connected
}

var errReplicaURL = errors.New("it does not begin with postgres://")

// replicaWait bounds the first attempt, which the start waits for.
const replicaWait = 5 * time.Second

// openReplica connects to a replica, now or later. The error is of a replica
// that another attempt would not reach.
func openReplica(ctx context.Context, url string, log *zap.Logger) (*replica, error) {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, &command.ConfigError{Err: fault.New("read the URL of the fleet page's replica", errReplicaURL, "it is for a replica of a Postgres store; leave it out otherwise")}
	}
	r := &replica{url: url, held: make(chan *postgres.Replica, 1)}
	r.held <- nil
	ctx, cancel := context.WithTimeout(ctx, replicaWait)
	defer cancel()
	_, err := r.get(ctx)
	switch {
	case err == nil:
	case errors.Is(err, cloud.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		log.Warn("the fleet page has no replica to read yet", zap.Error(err), zap.String("hint", fault.Hint(err)))
	default:
		return nil, err
	}
	return r, nil
}

// get returns the connected replica. No error repeats its URL.
func (r *replica) get(ctx context.Context) (*postgres.Replica, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case held := <-r.held:
		if held != nil {
			r.held <- held
			return held, nil
		}
	}
	held, err := postgres.OpenReplica(ctx, r.url)
	r.held <- held
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.As(err, new(*pgconn.ConnectError)) && !refused(err), errors.Is(err, cloud.ErrUnavailable):
		err = unreachable{fault.New("reach the fleet page's replica", err, "is the server running, and are host and port right?")}
	default:
		err = &command.ConfigError{Err: err}
	}
	return held, err
}

func (r *replica) close() {
	if held := <-r.held; held != nil {
		held.Close()
	}
}

// The methods of fleet.Store.

func (r *replica) ListCustomers(ctx context.Context) ([]cloud.Customer, error) {
	held, err := r.get(ctx)
	if err != nil {
		return nil, err
	}
	return held.ListCustomers(ctx)
}

func (r *replica) EachReport(ctx context.Context, since time.Time, fn func(cloud.Report) error) error {
	held, err := r.get(ctx)
	if err != nil {
		return err
	}
	return held.EachReport(ctx, since, fn)
}

func (r *replica) Report(ctx context.Context, customer string) (cloud.Report, error) {
	held, err := r.get(ctx)
	if err != nil {
		return cloud.Report{}, err
	}
	return held.Report(ctx, customer)
}

func (r *replica) Documents(ctx context.Context, known int64) (int64, []cloud.Document, error) {
	held, err := r.get(ctx)
	if err != nil {
		return 0, nil, err
	}
	return held.Documents(ctx, known)
}

func (r *replica) Versions(ctx context.Context, customer string) (wire.Versions, error) {
	held, err := r.get(ctx)
	if err != nil {
		return wire.Versions{}, err
	}
	return held.Versions(ctx, customer)
}

func (r *replica) Recent(ctx context.Context, customer string) ([]cloud.Taken, error) {
	held, err := r.get(ctx)
	if err != nil {
		return nil, err
	}
	return held.Recent(ctx, customer)
}

func (r *replica) Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) ([]cost.Record, error) {
	held, err := r.get(ctx)
	if err != nil {
		return nil, err
	}
	return held.Costs(ctx, span, since, until, counters)
}
