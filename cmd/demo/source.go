package main

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"

	_ "github.com/microsoft/go-mssqldb" // the writer's driver

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/sqlserver"
)

// The logins of the stand-in. The agent's may do what it needs, and no more.
const (
	writerLogin = "sa"
	agentLogin  = "tidemark"
	agentSecret = "only for reading 1"
)

// openStandIn starts a SQL Server stand-in with the tables in it.
func openStandIn(ctx context.Context, r *rand.Rand) (*mssqltest.Server, error) {
	s, err := mssqltest.Start(mssqltest.Options{
		Database: "shop", DB: engine.DatabaseOptions{AllowSnapshot: true},
		KeepStatements: 1,
	})
	if err != nil {
		return nil, err
	}
	s.AddLogin(&engine.Login{Name: agentLogin, Password: agentSecret, SelectAll: true, ViewDefinition: true})
	for _, t := range tables {
		err := s.DB().Exec(ctx, t.create...)
		if err == nil {
			err = s.DB().Fill("dbo."+t.name, t.rows, func(i int) []any { return t.row(r, i) })
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// openShop connects the writer, and later the proof, as any program would.
func openShop(s *mssqltest.Server) (*sql.DB, error) {
	return sql.Open("sqlserver", s.DSN(writerLogin, "app name", "shop"))
}

// openSource connects the agent as a site's configuration would.
func openSource(s *mssqltest.Server) (*sqlserver.Source, error) {
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return sqlserver.Open(sqlserver.Config{
		Server: host, Port: n, Database: s.DB().Name(), User: agentLogin, Password: agentSecret,
		Encrypt: sqlserver.EncryptAll, TrustServerCertificate: true,
	})
}
