package sqlserver_test

import (
	"strings"
	"testing"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/sqlserver"
)

// Every version has its own right to see the sessions of others: what is told
// of it, and the statement that grants it, are those of the server at hand.
func TestRightToSeeTheHolder(t *testing.T) {
	const (
		server      = "USE master; GRANT VIEW SERVER STATE TO [sync]]er];"
		performance = "USE master; GRANT VIEW SERVER PERFORMANCE STATE TO [sync]]er];"
	)
	tests := []struct {
		name, product string
		edition       int
		advice, held  string // without the right, and with it
	}{
		{"SQL Server 2012", "11.0.7001.0", 0, server, ""},
		{"SQL Server 2019", "15.0.4430.1", 0, server, ""},
		{"SQL Server 2022", "16.0.4135.4", 0, performance, ""},
		{"SQL Server 2025 Express", "17.0.1000.7", 4, performance, ""},
		{"Azure SQL Managed Instance", "12.0.2000.8", 8, server, ""},
		{"Azure SQL Database", "12.0.2000.8", 5, "GRANT VIEW DATABASE STATE TO [sync]]er];",
			"in Basic, S0, S1 and elastic pools, in master: ALTER SERVER ROLE [##MS_ServerStateReader##] ADD MEMBER [sync]]er];"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stand, err := mssqltest.Start(mssqltest.Options{Engine: engine.Options{Product: tt.product, EngineEdition: tt.edition}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := stand.Close(); err != nil {
					t.Error(err)
				}
			}()
			login := stand.AddLogin(&engine.Login{Name: "sync]er", Password: "x", SelectAll: true, ViewDefinition: true})
			s, err := sqlserver.Open(sqlserver.Config{DSN: stand.DSN(login.Name)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			for _, held := range []bool{false, true} {
				login.SetViewState(held)
				v, err := s.Inspect(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var states []string
				for _, r := range v.Rights {
					if strings.HasSuffix(r.Name, " STATE") {
						states = append(states, r.Name)
						if r.Held != held {
							t.Errorf("%s is held: %v", r.Name, r.Held)
						}
					}
				}
				if len(states) != 1 || !strings.Contains(tt.advice, "GRANT "+states[0]+" TO") {
					t.Errorf("told of %q, where the advice is %s", states, tt.advice)
				}
				want := tt.advice
				if held {
					want = tt.held
				}
				if got := sqlserver.HolderAdvice(v); got != want {
					t.Errorf("held %v: got  %s\nwant %s", held, got, want)
				}
			}
			// A server that does not tell its rights may lack this one.
			stand.DB().SetOptions(engine.DatabaseOptions{Lacks: []string{"HAS_PERMS_BY_NAME"}})
			if v, err := s.Inspect(t.Context()); err != nil || len(v.Rights) != 0 || sqlserver.HolderAdvice(v) != tt.advice {
				t.Errorf("not told: %+v, %v", v, err)
			}
		})
	}
}
