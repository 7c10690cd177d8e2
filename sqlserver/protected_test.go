package sqlserver_test

import (
	"strings"
	"testing"

	"tidemark/internal/mssqltest/tds"
	"tidemark/sqlserver"
)

// What turns protection off is told; what says nothing is protected.
func TestUnprotected(t *testing.T) {
	for name, tt := range map[string]struct {
		c    sqlserver.Config
		want string
	}{
		"nothing is said":             {sqlserver.Config{Server: "db"}, ""},
		"strict":                      {sqlserver.Config{Server: "db", Encrypt: sqlserver.EncryptStrict}, ""},
		"off":                         {sqlserver.Config{Server: "db", Encrypt: sqlserver.EncryptOff}, "nothing is encrypted"},
		"login":                       {sqlserver.Config{Server: "db", Encrypt: sqlserver.EncryptLogin}, "only the login is encrypted: others"},
		"trusts":                      {sqlserver.Config{Server: "db", TrustServerCertificate: true}, "certificate is not verified"},
		"login, and trusts":           {sqlserver.Config{Server: "db", Encrypt: sqlserver.EncryptLogin, TrustServerCertificate: true}, "to whoever answers"},
		"off, on this machine":        {sqlserver.Config{Server: "127.0.0.1", Encrypt: sqlserver.EncryptOff}, ""},
		"off, by this machine's name": {sqlserver.Config{Server: "localhost", Port: 1433, Encrypt: sqlserver.EncryptOff}, ""},
		"off, on this machine, IPv6":  {sqlserver.Config{Server: "::1", Port: 1433, Encrypt: sqlserver.EncryptOff}, ""},
		"a URL that says nothing":     {sqlserver.Config{DSN: "sqlserver://u:p@db?database=d"}, ""},
		"a string that says nothing":  {sqlserver.Config{DSN: "server=db;user id=u;password=p;"}, ""},
		"odbc that says nothing":      {sqlserver.Config{DSN: "odbc:server=db;user id=u;password={p;q}"}, ""},
		"a URL that says disable":     {sqlserver.Config{DSN: "sqlserver://u:p@db?encrypt=disable"}, "nothing is encrypted"},
		"a string that says false":    {sqlserver.Config{DSN: "server=db;user id=u;password=p;Encrypt=false"}, "only the login is encrypted: others"},
		"a URL that trusts":           {sqlserver.Config{DSN: "sqlserver://u:p@db?TrustServerCertificate=true"}, "certificate is not verified"},
		"a URL that verifies":         {sqlserver.Config{DSN: "sqlserver://u:p@db?encrypt=true"}, ""},
	} {
		got := tt.c.Unprotected()
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A connection string that does not speak of encryption is encrypted, and the
// server's certificate is verified, whatever the driver does by itself.
func TestConnectionStringsAreProtected(t *testing.T) {
	stand, base := startServer(t, tds.Options{})
	for name, tt := range map[string]struct {
		dsn  string
		want sqlserver.Class
	}{
		"a URL":             {"sqlserver://sa:Stand-in%201@" + stand.Addr() + "?database=" + base.Database, sqlserver.ClassTLS},
		"a string":          {"server=127.0.0.1," + strings.TrimPrefix(stand.Addr(), "127.0.0.1:") + ";user id=sa;password=Stand-in 1;database=" + base.Database, sqlserver.ClassTLS},
		"one that trusts":   {"sqlserver://sa:Stand-in%201@" + stand.Addr() + "?trustservercertificate=true&database=" + base.Database, ""},
		"one that says off": {"sqlserver://sa:Stand-in%201@" + stand.Addr() + "?encrypt=disable&database=" + base.Database, ""},
	} {
		if got := class(t, sqlserver.Config{DSN: tt.dsn}); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if s, err := sqlserver.Open(sqlserver.Config{DSN: "sqlserver://u:p@db?encrypt=true&tlsmin=1.1"}); err == nil {
		_ = s.Close()
		t.Error("TLS 1.1 was taken")
	}
}

// No error of a connection string that is wrong repeats its password.
func TestConnectionStringErrorsHoldNoPassword(t *testing.T) {
	for _, dsn := range []string{
		"sqlserver://u:hunter2@db:port?database=d", "sqlserver://u:hunter2@d b", "sqlserver://u:hunter2@db\x7f", "sqlserver://u:hunt%zzer2@db", "sqlserver://u:hunter2@[::1",
		"sqlserver://u:hunter2@db?encrypt=maybe", "sqlserver://u:hunter2@db?packet+size=big", "sqlserver://u:hunter2@db?tlsmin=1.0&encrypt=true",
		"server=db;user id=u;password=hunter2;port=x", "server=db;user id=u;password=hunter2;encrypt=maybe", "server=db;user id=u;hunter2", "odbc:server=db;password={hunter2",
		"odbc:server=db;pwd={hunter2}x", "odbc:server=db;=hunter2", "sqlserver://u:p@db?password=hunter2&encrypt=maybe", "sqlserver://u:hunter2@db?a=1;b=2",
		"sqlserver://hunter2@:x", "sqlserver:hunter2", "sqlserver://u:p@db?certificate=none&hunter2=%zz",
	} {
		s, err := sqlserver.Open(sqlserver.Config{DSN: dsn})
		if err == nil {
			_ = s.Close()
			continue
		}
		if strings.Contains(err.Error(), "hunt") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}
