package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/pgtest"
)

// TestBackupOfTheCloud is what docs/deployment.md says of back-ups: dumped with
// pg_dump while agents send, restored with pg_restore into an empty database
// after the first one is lost. The agents notice that the cloud went back and
// send what it lacks: rows, changes and deletes since the dump.
func TestBackupOfTheCloud(t *testing.T) {
	dsn := pgtest.Start(t)
	on := func(dsn string) func() cloud.Store {
		return func() cloud.Store {
			s, err := postgres.Open(context.Background(), dsn, postgres.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	r := newRigOn(t, on(dsn))
	r.db.Exec(t, restoredTable)
	r.db.Exec(t, "CREATE TABLE {s}.late (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.late (id) VALUES (1)")
	r.sync("t", "late").start()
	for id := 1; id <= 500; id += 50 {
		var rows string
		for i := id; i < id+50; i++ {
			rows += fmt.Sprintf(", (%d, %d)", i, i)
		}
		r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES "+rows[2:])
	}
	r.settles("t", "late")
	dump, dumped := filepath.Join(t.TempDir(), "cloud.dump"), make(chan error)
	go func() { dumped <- pgtest.Run(t.Context(), "pg_dump", "--format=custom", "--file="+dump, dsn) }()
	for i, done := 1000, false; !done; i++ { // it is of one moment among changes
		r.db.Exec(t, fmt.Sprintf("INSERT INTO {s}.t (id, v) VALUES (%d, 0)", i))
		select {
		case err := <-dumped:
			if done = true; err != nil {
				t.Fatal(err)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	r.db.Exec(t, "UPDATE {s}.t SET v = -v WHERE id % 7 = 0; DELETE FROM {s}.t WHERE id % 11 = 0; INSERT INTO {s}.t (id, v) VALUES (9000, 9)")
	r.settles("t")
	r.quiet("t")
	r.front.set(func(*http.Request) fate { return lostOnWay }) // the server is gone, with all that came after the dump
	restored := pgtest.Start(t)
	if err := pgtest.Run(t.Context(), "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+restored, dump); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), restored)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	r.reopen = on(restored)
	r.restartAPI()
	r.front.set(nil)
	r.settles("t", "late")
	r.quiet("t")
	wrong, err := r.store.Scrub(t.Context(), customer, "t")
	if err != nil || wrong != 0 {
		t.Errorf("%d leaves of the summary are wrong: %v", wrong, err)
	}
	for _, e := range r.decisions("t") {
		if e.Outcome.Error != "" {
			t.Error(e.Outcome.Error)
		}
	}
}
