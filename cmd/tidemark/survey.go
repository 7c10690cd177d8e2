package main

import (
	"context"
	"fmt"
	"strings"

	"tidemark/sqlserver"
)

// A surveyed table is one of the catalog with what it would mean to sync it.
type surveyed struct {
	*sqlserver.Table
	rows  int64 // -1: not known
	bytes int64 // at the server; 0: not known
}

// survey looks at all tables that the login sees, and reads none.
func survey(ctx context.Context, source *sqlserver.Source) (sqlserver.Server, []surveyed, error) {
	server, err := source.Inspect(ctx)
	if err != nil {
		return server, nil, err
	}
	catalog, err := source.Catalog(ctx)
	if err != nil {
		return server, nil, err
	}
	all, err := weigh(ctx, source, catalog)
	return server, all, err
}

// weigh asks for the figures of tables.
func weigh(ctx context.Context, source *sqlserver.Source, tables []*sqlserver.Table) ([]surveyed, error) {
	probe, err := source.Probe(ctx, tables)
	if err != nil {
		return nil, err
	}
	sizes, err := source.Sizes(ctx, tables)
	if err != nil {
		return nil, err
	}
	all := make([]surveyed, len(tables))
	for i, t := range tables {
		all[i] = surveyed{t, -1, sizes[t.ObjectID]}
		if n, ok := probe.Rows[t.ObjectID]; ok {
			all[i].rows = n
		}
	}
	return all, nil
}

// rowCount and space are for people.
func (s surveyed) rowCount() string {
	if s.rows < 0 {
		return "?"
	}
	return count(&s.rows)
}

func (s surveyed) space() string {
	if s.bytes <= 0 {
		return "?"
	}
	return size(s.bytes)
}

func (s surveyed) key() string {
	var names []string
	for _, k := range s.Key {
		names = append(names, s.Columns[k.Index].Name)
	}
	return strings.Join(names, ", ")
}

// changes says how changes of the table are found.
func (s surveyed) changes() string {
	switch {
	case s.Refused != "":
		return "cannot be synced: " + s.Refused
	case s.RowVersion == "":
		return "by comparing all rows: no rowversion"
	case !s.RowVersionIndexed:
		return "by " + s.RowVersion + ", reading the whole table: an index would help"
	}
	return "by " + s.RowVersion
}

// note is all of it in a line.
func (s surveyed) note() string {
	if s.Refused != "" {
		return s.changes()
	}
	note := "no rows known"
	if s.rows >= 0 {
		note = plural(s.rows, "row")
	}
	if s.bytes > 0 {
		note += ", " + size(s.bytes)
	}
	return fmt.Sprintf("%s, key %s, changes %s", note, s.key(), s.changes())
}
