package main

import (
	"net/url"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"tidemark/internal/mssqltest/engine"
)

// wrongPassword is a connection string with another password.
func wrongPassword(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	u.User = url.UserPassword(u.User.Username(), "wrong-password")
	return u.String()
}

// says is for what a command shows, whatever it ends with. Behind "until" it is
// tried again.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] says RE COMMAND...")
	}
	if said(ts, args) == neg {
		ts.Fatalf("%v", args)
	}
}

func said(ts *testscript.TestScript, args []string) bool {
	_ = ts.Exec(args[1], args[2:]...)
	re, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	return re.MatchString(ts.ReadFile("stdout"))
}

// login has the source be read by a login that may read all tables but one.
func (s *testSite) login(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: login TABLE")
	}
	stand := s.db.StandIn(s.t, "deny a right")
	stand.AddLogin(&engine.Login{Name: "sync", Password: "Sync 1", ViewDefinition: true, SelectAll: true}).Deny(s.db.Schema + "." + args[0])
	ts.Setenv("SQL_DSN", stand.DSN("sync"))
}

// secure serves the cloud by TLS too, at TLS_URL with a certificate of TLS_CA
// that ends in so many days.
func (s *testSite) secure(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: secure DAYS")
	}
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	ca := newAuthority(s.t)
	ts.Setenv("TLS_URL", ca.serve(s.t, "127.0.0.1", -90, days, s.ServeHTTP).URL)
	ts.Setenv("TLS_CA", ca.file)
}
