package sqlserver

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Right is one that Tidemark can use.
type Right struct {
	Name string
	Held bool
	Use  string // what it is good for; none of them is needed
}

// The rights that show the transactions and sessions of others, each on its
// servers: see Server.holderRight.
const (
	viewDatabaseState = "VIEW DATABASE STATE"
	viewServerState   = "VIEW SERVER STATE"
	viewPerformance   = "VIEW SERVER PERFORMANCE STATE"
	namesHolder       = "names the session that holds the ceiling back"
)

// rights are in the order of rightsSQL.
var rights = []Right{
	{Name: viewDatabaseState, Use: namesHolder},
	{Name: viewServerState, Use: namesHolder},
	{Name: viewPerformance, Use: namesHolder},
	{Name: "VIEW DEFINITION", Use: "shows all indexes and column definitions"},
	{Name: "UNMASK", Use: "shows masked columns, which are left out without it"},
}

// A right that the server does not know is NULL.
const rightsSQL = "SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'" + viewDatabaseState + "') AS a," +
	" HAS_PERMS_BY_NAME(NULL, NULL, N'" + viewServerState + "') AS b, HAS_PERMS_BY_NAME(NULL, NULL, N'" + viewPerformance + "') AS c," +
	" HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION') AS d, HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'UNMASK') AS e;\n"

// rightsOf reads a row of rightsSQL, and leaves out what means nothing on v.
func rightsOf(v Server, row []driver.Value) []Right {
	var all []Right
	for i, r := range rights {
		if r.Use == namesHolder && r.Name != v.holderRight() {
			continue
		}
		r.Held = intOf(row[i]) == 1
		all = append(all, r)
	}
	return all
}

// SERVERPROPERTY('EngineEdition') of servers whose product version says nothing.
const (
	azureSQLDatabase     = 5
	azureManagedInstance = 8
)

// holderRight is the right that Holder needs for the sessions of others. The
// three views that it joins want the same (Microsoft Learn, "Permissions" of
// sys.dm_tran_database_transactions, sys.dm_tran_session_transactions and
// sys.dm_exec_sessions).
func (v Server) holderRight() string {
	major, _, _ := strings.Cut(v.Version, ".")
	n, err := strconv.Atoi(major)
	switch {
	case v.engine == azureSQLDatabase:
		return viewDatabaseState
	case err == nil && n >= 16 && v.engine != azureManagedInstance: // SQL Server 2022
		return viewPerformance
	}
	return viewServerState
}

// HolderAdvice is what lets the login see who holds the ceiling back, where
// Holder does not tell; "" where the login has the right. A right of the server
// is granted in master. In Azure SQL Database the right may not be enough.
func HolderAdvice(v Server) string {
	name, login := v.holderRight(), quote(v.Login)
	held := slices.ContainsFunc(v.Rights, func(r Right) bool { return r.Name == name && r.Held })
	switch {
	case v.engine == azureSQLDatabase && held:
		return fmt.Sprintf("in Basic, S0, S1 and elastic pools, in master: ALTER SERVER ROLE [##MS_ServerStateReader##] ADD MEMBER %s;", login)
	case held:
		return ""
	case v.engine == azureSQLDatabase:
		return fmt.Sprintf("GRANT %s TO %s;", name, login)
	}
	return fmt.Sprintf("USE master; GRANT %s TO %s;", name, login)
}
