package mssqltest_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/tds"
)

func TestFailover(t *testing.T) {
	s, ctx := start(t, mssqltest.Options{}), context.Background()
	db := s.DB()
	ask := func() [][]any {
		t.Helper()
		rows, err := db.Query(ctx, `SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')), @@SERVERNAME, (SELECT COUNT(*) FROM dbo.t)`)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if err := db.Exec(ctx, `CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY)`, `INSERT INTO dbo.t VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"STANDIN", "STANDIN", int64(1)}}, ask()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	tx, err := db.Begin(ctx, tds.ReadCommitted)
	if err == nil {
		err = tx.Exec(ctx, `INSERT INTO dbo.t VALUES (2)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	db.Failover("OTHER")
	if err := tx.Commit(ctx); err == nil {
		t.Error("a transaction outlived its server")
	}
	if diff := cmp.Diff([][]any{{"OTHER", "OTHER", int64(1)}}, ask()); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
}
