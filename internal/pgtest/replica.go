//go:build unix

package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Replica connects to a server as a replica does, until the test ends or what
// is returned is called: the server sends it its log, and lists it in
// pg_stat_replication. It replays nothing.
func Replica(t testing.TB, dsn string) (leave func()) {
	t.Helper()
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["replication"] = "true"
	config.RuntimeParams["options"] = "-c wal_sender_timeout=0" // it never answers
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	leave = func() { _ = conn.Close(context.Background()) } // the server is told, or notices
	t.Cleanup(leave)
	results, err := conn.Exec(ctx, "IDENTIFY_SYSTEM").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// https://www.postgresql.org/docs/current/protocol-replication.html: systemid, timeline, xlogpos, dbname
	conn.Frontend().SendQuery(&pgproto3.Query{String: "START_REPLICATION PHYSICAL " + string(results[0].Rows[0][2])})
	if err := conn.Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		switch m, err := conn.ReceiveMessage(ctx); m.(type) {
		case *pgproto3.CopyBothResponse:
			return leave
		default:
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
