package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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
	parts []*probePart // of the probe, in order
	notes []string     // what is missing, for doctor
}

// A probePart is one result set of the probe. The first column's name tells
// which one it is.
type probePart struct {
	first string
	sql   string
	lack  string // what cannot be told without it
	read  func(*Probe, []driver.Value)
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
	},
	{
		first: "create_date",
		sql: "SELECT d.create_date, CONVERT(int, d.snapshot_isolation_state) AS snapshot_state, CONVERT(int, d.is_read_committed_snapshot_on) AS rcsi\n" +
			"FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		lack: "the database's options: rows are read under READ COMMITTED, which waits for writers",
		read: func(p *Probe, v []driver.Value) {
			if b, err := appendValue(nil, created, v[0]); err == nil && v[0] != nil {
				p.Marks.Created = string(b[1 : len(b)-1])
			}
			p.Snapshot = intOf(v[1]) == 1
			p.ReadCommittedSnapshot = intOf(v[2]) == 1
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
	return "SELECT p.object_id, SUM(p.rows) AS row_count FROM sys.partitions AS p\n" +
		"WHERE p.index_id IN (0, 1) AND p.object_id IN (" + string(list) + ") GROUP BY p.object_id;\n"
}

// know returns the source's facts and finds them out if need be.
func (s *Source) know(ctx context.Context) (*facts, error) {
	if f := s.facts.Load(); f != nil {
		return f, nil
	}
	s.detecting.Lock()
	defer s.detecting.Unlock()
	if f := s.facts.Load(); f != nil {
		return f, nil
	}
	f := &facts{}
	var p Probe
	try := func(part *probePart, sql string) (bool, error) {
		seen := false
		err := s.run(ctx, s.plain(sql), func(r *rows) error {
			return r.eachRow(func(v []driver.Value) error {
				seen = true
				if part != rowsPart {
					part.read(&p, v)
				}
				return nil
			})
		})
		if _, refused := serverError(err); err != nil && !refused {
			return false, err
		}
		return err == nil && seen, err
	}
	ok, err := try(ceilingPart, ceilingPart.sql)
	if !ok {
		if _, refused := serverError(err); refused {
			err = fmt.Errorf("%w: %w", ErrNoCeiling, err)
		} else if err == nil {
			err = errors.New("the server gave no answer")
		}
		return nil, err
	}
	f.parts = append(f.parts, ceilingPart)
	for _, part := range markParts {
		ok, err := try(part, part.sql)
		switch _, refused := serverError(err); {
		case err != nil && !refused:
			return nil, err
		case ok:
			f.parts = append(f.parts, part)
		default:
			f.notes = append(f.notes, "not visible: "+part.lack)
		}
	}
	switch _, err := try(rowsPart, rowsSQL([]int32{0})); {
	case err == nil:
		f.parts = append(f.parts, rowsPart)
	default:
		if _, refused := serverError(err); !refused {
			return nil, err
		}
		f.notes = append(f.notes, "not visible: "+rowsPart.lack)
	}
	s.setIsolation(p.Snapshot)
	s.facts.Store(f)
	return f, nil
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
