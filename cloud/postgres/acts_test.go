package postgres_test

import (
	"context"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
)

// An operator whose act waits for a table holds nobody up who changes a
// document, such as a server that halts a rollout.
func TestActWaitsAlone(t *testing.T) {
	s, conn := open(t, postgres.Options{Connections: 3})
	acme := newSite(t, s, "acme", "dbo.orders", narrow)
	acme.load(narrowRows(0, 3, 1), 10)
	exec(t, conn, "BEGIN")
	exec(t, conn, "SELECT FROM tidemark.versions WHERE customer = 'acme' FOR UPDATE") // as a batch does
	released := make(chan error, 1)
	go func() {
		released <- s.Act(t.Context(), cloud.Change{At: time.Now(), Who: "ann", Action: "table release", Subject: "customer acme dbo.orders"}, func(a cloud.Acts) error {
			_, err := a.Release(t.Context(), "acme", "dbo.orders")
			return err
		})
	}()
	for waits, end := false, time.Now().Add(5*time.Minute); !waits; time.Sleep(10 * time.Millisecond) {
		exec(t, conn, "SELECT pg_stat_clear_snapshot()") // of this transaction
		if err := conn.QueryRow(t.Context(), "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waits); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatal("the release does not wait for the table")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := s.Change(ctx, cloud.Change{At: time.Now(), Who: "the server", Action: "rollout halt", Subject: "rollout orders"}); err != nil {
		t.Errorf("a change meanwhile: %v", err)
	}
	exec(t, conn, "ROLLBACK")
	if err := <-released; err != nil {
		t.Error(err)
	}
	got, err := s.Recorded(t.Context(), cloud.RecordQuery{})
	if err != nil || len(got) != 2 || got[0].Action != "table release" || got[1].Action != "rollout halt" {
		t.Errorf("%+v %v", got, err)
	}
}
