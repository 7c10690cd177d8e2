package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/sqlserver"
)

// examineSource finds out about a source, and about its tables when the
// source itself can be worked with.
func examineSource(ctx context.Context, s config.Source, status *agent.Status) []finding {
	what := "source " + s.Name
	source, err := openSource(s)
	if err != nil {
		return []finding{failed(what, err)}
	}
	defer func() { _ = source.Close() }()
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	server, err := source.Inspect(asked)
	if err != nil {
		f := failed(what, err)
		if class, _ := sqlserver.Classify(err); class == sqlserver.ClassUnreached && s.Server != "" && net.ParseIP(s.Server) == nil {
			f.Notes = append(f.Notes, addressOf(asked, s.Server))
		}
		return []finding{f}
	}
	f := finding{What: what, Verdict: good, Notes: server.Notes}
	f.Message = fmt.Sprintf("SQL Server %s %s, database %s, login %s, %s", server.Version, server.Edition, server.Database, server.Login, isolation(server))
	for _, r := range server.Rights {
		if !r.Held {
			f.Notes = append(f.Notes, fmt.Sprintf("without %s, which %s", r.Name, r.Use))
		}
	}
	catalog, err := source.Catalog(asked)
	if err != nil {
		return []finding{f, failed("catalog of "+s.Name, err)}
	}
	for _, c := range idleColumns(s, catalog) {
		f.Notes = append(f.Notes, c+" is in no table: is it written as it is there?")
	}
	all := []finding{f, examineCeiling(asked, source, s.Name, server, status)}
	for _, t := range s.Tables {
		all = append(all, examineTable(ctx, source, catalog, t, server.Login))
	}
	return all
}

// idleColumns lists what the columns of patterns of tables mean in none of
// them: it may be mistyped, and what it was to hide goes out.
func idleColumns(s config.Source, catalog []*sqlserver.Table) []string {
	var idle []string
	for _, g := range s.Patterns {
		for list, names := range map[string][]string{"exclude_columns": g.Table.ExcludeColumns, "hash_columns": g.Table.HashColumns} {
			for _, name := range names {
				if !slices.ContainsFunc(catalog, func(t *sqlserver.Table) bool {
					return g.Pattern.Match(nameOf(t)) && len(t.Having([]string{name})) > 0
				}) {
					idle = append(idle, fmt.Sprintf("%q of the %s of %s", name, list, g.Pattern))
				}
			}
		}
	}
	slices.Sort(idle)
	return idle
}

// isolation says how rows are read.
func isolation(s sqlserver.Server) string {
	switch {
	case s.Snapshot:
		return "reads under SNAPSHOT isolation"
	case s.ReadCommittedSnapshot:
		return "reads under READ COMMITTED with row versions"
	}
	return "reads under READ COMMITTED with locks"
}

// examineCeiling looks whether an open transaction holds changes back. How long
// it has stood still is what the service has seen.
func examineCeiling(ctx context.Context, source *sqlserver.Source, name string, server sqlserver.Server, status *agent.Status) finding {
	f := finding{What: "ceiling of " + name, Verdict: good}
	p, err := source.Probe(ctx, nil)
	if err != nil {
		return failed(f.What, err)
	}
	if !p.InFlight {
		f.Message = fmt.Sprintf("no open transaction holds changes back, row versions up to %d can be read", p.DBTS)
		return f
	}
	f.Message = fmt.Sprintf("open transactions hold back row versions from %d to %d", p.Ceiling+1, p.DBTS)
	holder, err := source.Holder(ctx)
	switch {
	case err != nil:
		f.Notes = append(f.Notes, "whose they are cannot be found out: "+err.Error())
	case holder == "":
		why := "whose they are is not to be seen: they may have ended just now"
		if grant := sqlserver.HolderAdvice(server); grant != "" {
			why = "whose they are is not told without a right: " + grant
		}
		f.Notes = append(f.Notes, why)
	default:
		f.Message += "; the oldest is " + holder
	}
	if status != nil {
		for _, s := range status.Sources {
			if s.Name == name && s.Problem != nil && s.Problem.Kind == agent.ProblemCeiling {
				f.Verdict = wrong
				f.Message += fmt.Sprintf("; it has not moved for %s", span(status.Time.Sub(s.Problem.Since)))
				f.Hint = "look for a session with an old open transaction (DBCC OPENTRAN) and end it"
			}
		}
	}
	return f
}

// addressOf tells what the name of a server that does not answer stands for.
func addressOf(ctx context.Context, server string) string {
	addresses, err := net.DefaultResolver.LookupHost(ctx, server)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s is %s", server, strings.Join(addresses, ", "))
}

func examineTable(ctx context.Context, source *sqlserver.Source, catalog []*sqlserver.Table, t config.Table, login string) finding {
	f := finding{What: "table " + t.Dataset, Verdict: good}
	i := slices.IndexFunc(catalog, func(c *sqlserver.Table) bool {
		return strings.EqualFold(c.Schema, t.Name.Schema) && strings.EqualFold(c.Name, t.Name.Name)
	})
	if i < 0 {
		f.Verdict, f.Message = wrong, "not there, or not visible to "+login
		f.Hint = "if it is there: " + sqlserver.GrantAdvice(login, &sqlserver.Table{Schema: t.Name.Schema, Name: t.Name.Name})
		return f
	}
	table, err := asRead(catalog[i], t)
	if err != nil {
		f.Verdict, f.Message, f.Hint = wrong, err.Error(), "see exclude_columns and hash_columns of this table in the configuration"
		return f
	}
	if table.Refused != "" {
		f.Verdict, f.Message = wrong, table.Refused
		return f
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := source.Try(asked, table); err != nil {
		f = failed(f.What, err)
		if class, _ := sqlserver.Classify(err); class == sqlserver.ClassPermission {
			f.Hint = sqlserver.GrantAdvice(login, table)
		}
		return f
	}
	f.Message = describe(table)
	if !t.Enabled {
		f.Message += ", enabled: false"
	}
	if index := sqlserver.IndexAdvice(table); index != "" {
		f.Verdict = advice
		f.Hint = "changes are found by reading the whole table; this index ends that:\n" + index
	}
	for _, l := range table.LeftOut {
		f.Notes = append(f.Notes, fmt.Sprintf("column %s is left out: %s", l.Column, l.Reason))
	}
	return f
}

// describe says by what rows are told apart and changes are found.
func describe(t *sqlserver.Table) string {
	var key []string
	for _, k := range t.Key {
		key = append(key, t.Columns[k.Index].Name)
	}
	changes := "changes by " + t.RowVersion
	if t.RowVersion == "" {
		changes = "no rowversion column: changes by comparing the whole table"
	}
	return fmt.Sprintf("key %s, %s", strings.Join(key, ", "), changes)
}
