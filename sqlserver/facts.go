package sqlserver

import (
	"database/sql/driver"
	"fmt"
	"sync"
)

// isolation is the level that rows are read under.
type isolation int32

const (
	isolationCommitted isolation = iota // also the zero value, which is safe everywhere
	isolationSnapshot                   // where the database allows it: readers neither wait nor block
)

// facts are what a source's server offers. They are found out once, by trying,
// because versions, compatible servers and rights differ.
type facts struct {
	dialect dialect
	parts   []*probePart // of the probe, in order
	notes   []string     // what is missing, for doctor
	refused sync.Map     // statements of the catalog's extras -> true
}

// A probePart is one result set of the probe. The first column's name tells
// which one it is.
type probePart struct {
	first string
	sql   string
	lack  string // what cannot be told without it
	read  func(*Probe, []driver.Value)
	// smaller parts tell some of it where the whole is refused.
	smaller []*probePart
}

// ceilingPart is the one that cannot be done without. @@DBTS is the last row
// version used, MIN_ACTIVE_ROWVERSION() the lowest that is not committed yet,
// or one more than @@DBTS (Microsoft Learn, "MIN_ACTIVE_ROWVERSION").
var ceilingPart = &probePart{
	first: "dbts",
	sql:   "SELECT CONVERT(binary(8), @@DBTS) AS dbts, CONVERT(binary(8), MIN_ACTIVE_ROWVERSION()) AS active;\n",
	read: func(p *Probe, v []driver.Value) {
		p.DBTS = rvOf(v[0])
		if active := rvOf(v[1]); active > 0 {
			p.Ceiling = active - 1
		}
	},
}

var markParts = []*probePart{
	{
		first: "server_name",
		sql:   "SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')) AS server_name, DB_NAME() AS database_name;\n",
		lack:  "the server's name: a database that has moved to another server is told by other marks alone",
		read: func(p *Probe, v []driver.Value) {
			p.Marks.Server, p.Marks.Database = textOf(v[0]), textOf(v[1])
		},
		smaller: []*probePart{
			{first: "at_server_name", sql: "SELECT @@SERVERNAME AS at_server_name;\n",
				read: func(p *Probe, v []driver.Value) { p.Marks.Server = textOf(v[0]) }},
			{first: "database_name", sql: "SELECT DB_NAME() AS database_name;\n",
				read: func(p *Probe, v []driver.Value) { p.Marks.Database = textOf(v[0]) }},
		},
	},
	{
		first: "create_date",
		sql: "SELECT d.create_date, CONVERT(int, d.snapshot_isolation_state) AS snapshot_state, CONVERT(int, d.is_read_committed_snapshot_on) AS rcsi\n" +
			"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		lack: "the database's options: rows are read under READ COMMITTED, which waits for writers",
		read: func(p *Probe, v []driver.Value) {
			readCreated(p, v)
			readSnapshot(p, v[1:])
			readRCSI(p, v[2:])
		},
		smaller: []*probePart{
			{first: "only_create_date", sql: "SELECT d.create_date AS only_create_date FROM sys.databases AS d WHERE d.database_id = DB_ID();\n", read: readCreated},
			{first: "only_snapshot", sql: "SELECT CONVERT(int, d.snapshot_isolation_state) AS only_snapshot FROM sys.databases AS d WHERE d.database_id = DB_ID();\n", read: readSnapshot},
			{first: "only_rcsi", sql: "SELECT CONVERT(int, d.is_read_committed_snapshot_on) AS only_rcsi FROM sys.databases AS d WHERE d.database_id = DB_ID();\n", read: readRCSI},
		},
	},
	{
		first: "database_guid",
		sql: "SELECT r.database_guid, r.recovery_fork_guid\n" +
			"FROM sys.database_recovery_status AS r WHERE r.database_id = DB_ID();\n",
		lack: "the recovery fork: a restore is told by row versions and remembered rows alone; VIEW ANY DATABASE shows it",
		read: func(p *Probe, v []driver.Value) {
			p.Marks.DatabaseGUID, p.Marks.Fork = guidOf(v[0]), guidOf(v[1])
		},
	},
}

func readCreated(p *Probe, v []driver.Value) {
	if b, err := appendValue(nil, created, v[0]); err == nil && v[0] != nil {
		p.Marks.Created = string(b[1 : len(b)-1])
	}
}

// snapshot_isolation_state is 1 for ON; 2 and 3 are on the way to off and on.
func readSnapshot(p *Probe, v []driver.Value) { p.Snapshot = intOf(v[0]) == 1 }

func readRCSI(p *Probe, v []driver.Value) { p.ReadCommittedSnapshot = intOf(v[0]) == 1 }

// rowsPart is cut to the tables asked for by rowsSQL. It adds up partitions
// of the heap or clustered index, whose figures are transactionally right
// but for a moment (Microsoft Learn, "sys.partitions").
var rowsPart = &probePart{
	first: "object_id",
	lack:  "row counts without counting (sys.partitions): deleted rows are found by exact counts, which are slower",
	read: func(p *Probe, v []driver.Value) {
		if n := intOf(v[1]); n > 0 {
			p.Rows[int32(intOf(v[0]))] = n
		}
	},
}

func rowsSQL(ids []int32) string {
	list := make([]byte, 0, 12*len(ids))
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = fmt.Appendf(list, "%d", id)
	}
	return "SELECT p.object_id, CONVERT(bigint, SUM(p.rows)) AS row_count FROM sys.partitions AS p\n" +
		"WHERE p.index_id IN (0, 1) AND p.object_id IN (" + string(list) + ") GROUP BY p.object_id;\n"
}

func (s *Source) setIsolation(snapshot bool) {
	level := isolationCommitted
	if snapshot {
		level = isolationSnapshot
	}
	s.snapshot.Store(int32(level))
}

// level is the isolation that rows are read under.
func (s *Source) level() isolation { return isolation(s.snapshot.Load()) }
