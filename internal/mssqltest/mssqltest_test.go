package mssqltest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"go.uber.org/goleak"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, o mssqltest.Options) *mssqltest.Server {
	t.Helper()
	s, err := mssqltest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	c, err := mssql.NewConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := mssqltest.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

// within bounds a test that hangs.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func code(err error) int32 {
	var e mssql.Error
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

func TestDriverRoundTrip(t *testing.T) {
	s := start(t, mssqltest.Options{})
	for _, mode := range []string{"disable", "false", "true"} {
		t.Run("encrypt="+mode, func(t *testing.T) {
			db := open(t, s.DSN("sa", "encrypt", mode, "TrustServerCertificate", "true"))
			ctx := within(t)
			table := "t_" + mode
			if _, err := db.ExecContext(ctx, "CREATE TABLE "+table+" (id int IDENTITY PRIMARY KEY, name nvarchar(100), doc nvarchar(max), price decimal(10,2), at datetime2(3), g uniqueidentifier, rv rowversion)"); err != nil {
				t.Fatal(err)
			}
			long := strings.Repeat("\u00e4bc", 50_000)
			at := time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)
			g := mssql.UniqueIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
			for i := range 3 {
				res, err := db.ExecContext(ctx, "INSERT INTO "+table+" (name, doc, price, at, g) VALUES (@p1, @p2, @p3, @p4, @p5)", fmt.Sprint("n", i), long, "12.50", at, g)
				if err != nil {
					t.Fatal(err)
				}
				if n, _ := res.RowsAffected(); n != 1 {
					t.Errorf("%d rows affected", n)
				}
			}
			var name, doc, price string
			var got time.Time
			var gg mssql.UniqueIdentifier
			if err := db.QueryRowContext(ctx, "SELECT name, doc, price, at, g FROM "+table+" WHERE id = @p1", 2).Scan(&name, &doc, &price, &got, &gg); err != nil {
				t.Fatal(err)
			}
			if name != "n1" || doc != long || price != "12.50" || !got.Equal(at) || gg != g {
				t.Error(name, len(doc), price, got, gg)
			}
		})
	}
}

func TestInMemoryConnections(t *testing.T) {
	s := start(t, mssqltest.Options{})
	c, err := mssql.NewConnector(s.DSN("sa"))
	if err != nil {
		t.Fatal(err)
	}
	c.Dialer = s.Dialer()
	db := mssqltest.OpenDB(c)
	defer db.Close()
	var name string
	if err := db.QueryRowContext(within(t), "SELECT DB_NAME()").Scan(&name); err != nil || name != "site" {
		t.Error(name, err)
	}
}

func TestTransactionsOfTheDriver(t *testing.T) {
	s := start(t, mssqltest.Options{DB: engine.DatabaseOptions{AllowSnapshot: true}})
	ctx := within(t)
	db := open(t, s.DSN("sa"))
	if err := s.DB().Exec(ctx, "CREATE TABLE t (id int PRIMARY KEY, x int)", "INSERT INTO t VALUES (1, 1)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSnapshot})
	if err != nil {
		t.Fatal(err)
	}
	read := func() (x int) {
		if err := tx.QueryRowContext(ctx, "SELECT x FROM t WHERE id = @p1", 1).Scan(&x); err != nil {
			t.Error(err)
		}
		return x
	}
	first := read()
	if err := s.DB().Exec(ctx, "UPDATE t SET x = 2"); err != nil {
		t.Fatal(err)
	}
	if second := read(); first != 1 || second != 1 {
		t.Error(first, second)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE t SET x = 3 WHERE id = 1"); code(err) != 3960 {
		t.Error(err)
	}
	_ = tx.Rollback()
	var x int
	if err := db.QueryRowContext(ctx, "SELECT x FROM t").Scan(&x); err != nil || x != 2 {
		t.Error(x, err)
	}
}

func TestRightsAndLogins(t *testing.T) {
	s := start(t, mssqltest.Options{})
	ctx := within(t)
	if err := s.DB().Exec(ctx, "CREATE TABLE seen (id int PRIMARY KEY)", "CREATE TABLE hidden (id int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	agent := s.AddLogin(&engine.Login{Name: "agent", Password: "x;y"})
	agent.Grant("dbo.seen")
	db := open(t, s.DSN("agent"))
	count := func(q string) (n int, err error) { err = db.QueryRowContext(ctx, q).Scan(&n); return n, err }
	for _, c := range []struct {
		sql  string
		n    int
		code int32
	}{
		{"SELECT COUNT(*) FROM seen", 0, 0},
		{"SELECT COUNT(*) FROM hidden", 0, 229},
		{"SELECT COUNT(*) FROM sys.tables", 1, 0},
		{"SELECT COUNT(recovery_fork_guid) FROM sys.database_recovery_status", 0, 0},
		{"SELECT COUNT(*) FROM sys.dm_tran_active_transactions", 0, 300},
		{"SELECT HAS_PERMS_BY_NAME('dbo.seen', 'OBJECT', 'SELECT') + ISNULL(HAS_PERMS_BY_NAME('dbo.hidden', 'OBJECT', 'SELECT'), 0)", 1, 0},
		{"SELECT COUNT(*) FROM sys.fn_my_permissions('dbo.seen', 'OBJECT')", 1, 0},
	} {
		if n, err := count(c.sql); n != c.n || code(err) != c.code || c.code == 0 && err != nil {
			t.Errorf("%s: %d %v", c.sql, n, err)
		}
	}
	if _, err := db.ExecContext(ctx, "DELETE FROM seen"); code(err) != 229 {
		t.Error(err)
	}
	agent.Deny("dbo.seen")
	if _, err := count("SELECT COUNT(*) FROM seen"); code(err) != 229 {
		t.Error(err)
	}
	agent.SetViewState(true)
	if n, err := count("SELECT COUNT(recovery_fork_guid) FROM sys.database_recovery_status"); n != 2 || err != nil {
		t.Error(n, err)
	}
	wrong := open(t, strings.Replace(s.DSN("agent"), "agent:", "agent:no", 1))
	if err := wrong.PingContext(ctx); code(err) != 18456 {
		t.Error(err)
	}
	nowhere := open(t, s.DSN("agent", "database", "nowhere"))
	if err := nowhere.PingContext(ctx); code(err) != 4060 {
		t.Error(err)
	}
}

func TestHolderOfTheOldestTransactionIsFound(t *testing.T) {
	s := start(t, mssqltest.Options{})
	ctx := within(t)
	if err := s.DB().Exec(ctx, "CREATE TABLE t (id int PRIMARY KEY, rv rowversion)"); err != nil {
		t.Fatal(err)
	}
	db := open(t, s.DSN("sa", "app name", "nightly import"))
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // the test is over
	if _, err := tx.ExecContext(ctx, "INSERT INTO t (id) VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	var app string
	var gap int64
	err = open(t, s.DSN("sa")).QueryRowContext(ctx, `SELECT TOP (1) s.program_name, CONVERT(bigint, @@DBTS) - CONVERT(bigint, MIN_ACTIVE_ROWVERSION())
		FROM sys.dm_tran_database_transactions d JOIN sys.dm_tran_session_transactions x ON x.transaction_id = d.transaction_id
		JOIN sys.dm_exec_sessions s ON s.session_id = x.session_id
		WHERE d.database_id = DB_ID() AND d.database_transaction_begin_time IS NOT NULL ORDER BY d.database_transaction_begin_time`).Scan(&app, &gap)
	if err != nil || app != "nightly import" || gap != 0 {
		t.Error(app, gap, err)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, mssqltest.Options{})
	ctx := within(t)
	if err := s.DB().Exec(ctx, "CREATE TABLE t (id int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if err := s.DB().Fill("t", 100, func(i int) []any { return []any{i} }); err != nil {
		t.Fatal(err)
	}
	db := open(t, s.DSN("sa"))
	read := func(q string) (n int, err error) {
		rows, err := db.QueryContext(ctx, q)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			n++
		}
		return n, rows.Err()
	}
	onT := regexp.MustCompile(`FROM t\b`)
	s.Inject(mssqltest.Fault{Match: onT, Times: 1, Err: mssqltest.LockTimeout})
	if _, err := read("SELECT id FROM t"); code(err) != 1222 {
		t.Error(err)
	}
	s.Inject(mssqltest.Fault{Match: onT, Times: 1, Err: mssqltest.Deadlock, Rows: 40})
	if n, err := read("SELECT id FROM t"); code(err) != 1205 || n > 40 {
		t.Error(n, err)
	}
	s.Network().CutAfterRows(10)
	if n, err := read("SELECT id FROM t"); err == nil || n > 10 {
		t.Error(n, err)
	}
	remove := s.Inject(mssqltest.Fault{Match: onT, Delay: time.Hour})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := db.ExecContext(short, "SELECT id FROM t"); err == nil {
		t.Error("the delay did not hold")
	}
	remove()
	if n, err := read("SELECT id FROM t"); n != 100 || err != nil {
		t.Error(n, err)
	}
	s.DB().SetState("RESTORING")
	if _, err := read("SELECT id FROM t"); err == nil {
		t.Error("a database that is restoring answered")
	}
	s.DB().SetState("ONLINE")
	db = open(t, s.DSN("sa")) // the old connections were killed
	if n, err := read("SELECT id FROM t"); n != 100 || err != nil {
		t.Error(n, err)
	}
}

func TestStatementLog(t *testing.T) {
	s := start(t, mssqltest.Options{KeepStatements: 3})
	ctx := within(t)
	db := open(t, s.DSN("sa", "app name", "agent"))
	for i := range 5 {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT @p1", i).Scan(&n); err != nil || n != i {
			t.Fatal(n, err)
		}
	}
	got := s.TakeStatements()
	if len(got) != 3 || s.StatementCount() != 5 || got[2].SQL != "SELECT @p1" || got[2].Rows != 1 || len(got[2].Params) != 1 || got[2].Login.App != "agent" || got[2].Login.Password != "" {
		t.Errorf("%+v", got)
	}
	if len(s.Statements()) != 0 {
		t.Error("the log was not emptied")
	}
}

func TestBackupAndRestore(t *testing.T) {
	s := start(t, mssqltest.Options{})
	ctx := within(t)
	db := s.DB()
	if err := db.Exec(ctx, "CREATE TABLE t (id int PRIMARY KEY, x varchar(10), rv rowversion, INDEX i (x))", "INSERT INTO t (id, x) VALUES (1, 'old'), (2, 'old')"); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		rows, err := db.Query(ctx, "SELECT id, x, CONVERT(bigint, rv), CONVERT(bigint, @@DBTS) FROM t ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows)
	}
	fork := func() string {
		rows, err := db.Query(ctx, "SELECT recovery_fork_guid FROM sys.database_recovery_status WHERE database_id = DB_ID()")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows)
	}
	before, forkBefore := state(), fork()
	held, err := db.Begin(ctx, tds.Unspecified)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Exec(ctx, "INSERT INTO t (id) VALUES (9)"); err != nil {
		t.Fatal(err)
	}
	b := db.Backup()
	if err := db.Exec(ctx, "SET LOCK_TIMEOUT 20; INSERT INTO t (id) VALUES (9)"); err == nil {
		t.Error("a row was written that a transaction holds")
	}
	if err := held.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	held, err = db.Begin(ctx, tds.Unspecified)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Exec(ctx, "UPDATE t SET x = 'new'"); err != nil {
		t.Fatal(err)
	}
	if err := db.Restore(b, true); err != nil {
		t.Fatal(err)
	}
	if err := held.Commit(ctx); err == nil {
		t.Error("a transaction survived the restore")
	}
	if after := state(); strings.ReplaceAll(after, "2003]", "2002]") != before || fork() != forkBefore {
		t.Error(after, before)
	}
	if err := db.Restore(b, false); err != nil {
		t.Fatal(err)
	}
	if fork() == forkBefore {
		t.Error("the recovery fork stayed")
	}
}
