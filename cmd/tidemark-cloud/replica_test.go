package main

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/fleet"
	"tidemark/cloud/postgres"
	"tidemark/internal/command"
	"tidemark/internal/pgtest"
)

var _ fleet.Store = (*replica)(nil)

// A replica that is behind the program's migrations is read once it has caught
// up; one that lets nobody in stops the start.
func TestReplicaThatComesLater(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t)
	r, err := openReplica(ctx, dsn, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	read := func() []error {
		_, err1 := r.ListCustomers(ctx)
		_, err2 := r.Report(ctx, "acme")
		err3 := r.EachReport(ctx, time.Time{}, func(cloud.Report) error { return nil })
		_, _, err4 := r.Documents(ctx, 0)
		_, err5 := r.Versions(ctx, "acme")
		_, err6 := r.Recent(ctx, "acme")
		_, err7 := r.Costs(ctx, time.Hour, time.Time{}, time.Now(), false)
		return []error{err1, err2, err3, err4, err5, err6, err7}
	}
	for _, err := range read() {
		if !errors.Is(err, cloud.ErrUnavailable) {
			t.Errorf("before: %v", err)
		}
	}
	s, err := postgres.Open(ctx, dsn, postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, err := range read() {
		if err != nil {
			t.Errorf("after: %v", err)
		}
	}
	if bad, err := openReplica(ctx, dsn+"&dbname=nothing", zap.NewNop()); !errors.As(err, new(*command.ConfigError)) {
		t.Errorf("a database that there is not: %v", err)
		if err == nil {
			bad.close()
		}
	}
}
