package sqlservertest

import (
	"net"
	"strconv"
	"testing"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/sqlserver"
)

const (
	user     = "sa"
	password = "Stand-in 1"
)

func startStandIn(t testing.TB) *mssqltest.Server {
	t.Helper()
	s, err := mssqltest.Start(mssqltest.Options{Password: password, DB: engine.DatabaseOptions{AllowSnapshot: true}})
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

// standInConfig reaches s as the files of sites do: over TCP, encrypted.
func standInConfig(t testing.TB, s *mssqltest.Server) sqlserver.Config {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return sqlserver.Config{
		Server: host, Port: n, Database: s.DB().Name(), User: user, Password: password,
		Encrypt: sqlserver.EncryptAll, TrustServerCertificate: true,
	}
}
