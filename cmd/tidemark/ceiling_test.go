package main

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tidemark/agent"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// held leaves a transaction open that has run a batch, as a program on a host.
func held(db *sqlservertest.DB, host, program, batch string) (end func() error, err error) {
	at, err := url.Parse(db.DSN())
	if err != nil {
		return nil, err
	}
	query := at.Query()
	query.Set("workstation id", host)
	query.Set("app name", program)
	at.RawQuery = query.Encode()
	session, err := sql.Open("sqlserver", at.String())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := session.BeginTx(context.Background(), nil)
	if err == nil {
		_, err = tx.ExecContext(ctx, db.Expand(batch))
	}
	if err != nil {
		_ = session.Close()
		return nil, err
	}
	return func() error {
		if err := tx.Rollback(); err != nil {
			return err
		}
		return session.Close()
	}, nil
}

// transaction leaves one open until it is called without arguments, or the
// script ends.
func (s *testSite) transaction(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 && len(args) != 3 {
		ts.Fatalf("usage: transaction [HOST PROGRAM BATCH]")
	}
	if len(args) == 0 {
		ts.Check(s.open())
		s.open = nil
		return
	}
	end, err := held(s.db, args[0], args[1], args[2])
	ts.Check(err)
	s.open = end
	ts.Defer(func() {
		if s.open != nil {
			ts.Check(s.open())
		}
	})
}

// An open transaction is something to think about for doctor, and wrong once
// the service has seen the ceiling stand still for too long.
func TestExamineCeiling(t *testing.T) {
	db := sqlservertest.Open(t)
	db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	source := db.Source(t)
	now := time.Now()
	stalled := &agent.Status{Time: now, Sources: []agent.SourceStatus{
		{Name: "other", Problem: &agent.Problem{Kind: agent.ProblemCeiling, Since: now.Add(-time.Hour)}},
		{Name: "main", Problem: &agent.Problem{Kind: agent.ProblemCeiling, Since: now.Add(-40 * time.Minute)}},
	}}
	examine := func(name string, status *agent.Status) finding {
		return examineCeiling(t.Context(), source, name, sqlserver.Server{}, status)
	}
	if f := examine("main", stalled); f.Verdict != good || !strings.HasPrefix(f.Message, "no open transaction") {
		t.Errorf("without a transaction: %+v", f)
	}
	end, err := held(db, "WS-12", "Ledger", "INSERT INTO {s}.t (id) VALUES (1)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	for name, tt := range map[string]struct {
		name    string
		status  *agent.Status
		verdict verdict
		says    string
	}{
		"service not running": {"main", nil, good, "open transactions hold back row versions from "},
		"it moves":            {"main", &agent.Status{Time: now, Sources: []agent.SourceStatus{{Name: "main"}}}, good, "from WS-12 (Ledger)"},
		"another stands":      {"third", stalled, good, "from WS-12 (Ledger)"},
		"it stands":           {"main", stalled, wrong, "; it has not moved for 40m"},
	} {
		t.Run(name, func(t *testing.T) {
			f := examine(tt.name, tt.status)
			if f.Verdict != tt.verdict || !strings.Contains(f.Message, tt.says) || (f.Hint != "") != (tt.verdict == wrong) {
				t.Errorf("%+v", f)
			}
		})
	}
}
