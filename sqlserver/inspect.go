package sqlserver

import (
	"context"
	"database/sql/driver"
	"strings"

	"tidemark/internal/wire"
)

// A Server is what a source is connected to, for doctor.
type Server struct {
	Version  string // "16.0.4135.4", "" where it is not told
	Edition  string
	Login    string
	Database string

	Snapshot              bool // rows are read under SNAPSHOT isolation
	ReadCommittedSnapshot bool
	Rights                []Right
	Notes                 []string // what is missing, and what that means

	engine int64 // SERVERPROPERTY('EngineEdition'), 0 where it is not told
}

// Inspect finds out anew what the server is, what it offers and what the
// login may do. What cannot be told is left empty; an error means that the
// source cannot be worked with.
func (s *Source) Inspect(ctx context.Context) (Server, error) {
	const op = "look at the server"
	s.facts.Store(nil)
	p, err := s.Probe(ctx, nil)
	if err != nil {
		return Server{}, err
	}
	v := Server{Snapshot: p.Snapshot, ReadCommittedSnapshot: p.ReadCommittedSnapshot, Database: p.Marks.Database}
	if f := s.facts.Load(); f != nil {
		v.Notes = append(v.Notes, f.notes...)
	}
	if s.catalog.Load() == nil {
		if _, err := s.Catalog(ctx); err != nil {
			return Server{}, err
		}
	}
	if notes := s.catalog.Load(); notes != nil {
		v.Notes = append(v.Notes, *notes...)
	}
	asked := []struct {
		sql  string
		note string
		read func([]driver.Value)
	}{
		{
			"SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS version, CONVERT(nvarchar(128), SERVERPROPERTY('Edition')) AS edition," +
				" CONVERT(bigint, SERVERPROPERTY('EngineEdition')) AS engine;\n",
			"the server does not tell its version",
			func(r []driver.Value) { v.Version, v.Edition, v.engine = textOf(r[0]), textOf(r[1]), intOf(r[2]) },
		},
		{
			"SELECT SUSER_SNAME() AS login_name;\n",
			"the server does not tell the login's name",
			func(r []driver.Value) { v.Login = textOf(r[0]) },
		},
		{
			rightsSQL,
			"the server does not tell the login's rights",
			func(r []driver.Value) { v.Rights = rightsOf(v, r) },
		},
	}
	for _, a := range asked {
		err := s.run(ctx, s.plain(a.sql), func(r *rows) error {
			return r.eachRow(func(row []driver.Value) error {
				a.read(row)
				return nil
			})
		})
		if lacking(err) {
			v.Notes = append(v.Notes, a.note)
		} else if err != nil {
			return Server{}, named(op, err)
		}
	}
	if !v.Snapshot && !v.ReadCommittedSnapshot {
		v.Notes = append(v.Notes, "reads wait for writers, at most for limits.lock_timeout: ALTER DATABASE "+quote(v.Database)+" SET ALLOW_SNAPSHOT_ISOLATION ON ends that")
	}
	return v, nil
}

// Try reads no rows, but everything that reading rows takes: the rights on
// the table and its columns, and that these are as the catalog said.
func (s *Source) Try(ctx context.Context, t *Table) error {
	op := "try to read " + t.String()
	r := s.Reader(t, Limits{})
	if err := r.refused(); err != nil {
		return named(op, err)
	}
	text := strings.Replace(r.rows.firstPage(t.keyTerms(), ""), "TOP (@n)", "TOP (0)", 1)
	var none wire.Lines
	return named(op, r.query(ctx, text, r.args(r.rows, 0, position{}), newCollector(r.rows, &none, r.limits).read))
}
