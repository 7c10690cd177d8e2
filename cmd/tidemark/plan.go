package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newPlan(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan [TABLE...]",
		Short: "What the next cycle will read and send, before it does",
		Long: `Predicts, for every table or for those named, what the next cycle will do: rows,
bytes to send, statements at the source, and time. For that it asks the cloud
what it has and reads a few chunks of each table, within the limits of the
configuration. It sends no rows and changes nothing.

Figures with a ~ are estimates: rows by the source's own figures, bytes and time
by the rows that were read. Time is what the source needs, or the bandwidth
limit; a slow network or cloud can make it longer.`,
		Example:           "  tidemark plan\n  tidemark plan dbo.orders --json",
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.config()
		if err != nil {
			return err
		}
		p, err := a.plan(cmd.Context(), c, args)
		if err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(p)
		} else {
			err = a.printPlan(p)
		}
		if err == nil && p.failed() {
			err = errUnwell
		}
		return err
	}
	return c
}

// A plan is what is predicted of a cycle.
type plan struct {
	Notes  []string   `json:"notes,omitempty"`
	Tables []forecast `json:"tables"`
	Total  figures    `json:"total"`
}

// figures are what a table will cost.
type figures struct {
	Rows       int64   `json:"rows"`         // to send
	Bytes      int64   `json:"bytes"`        // of these, before compression
	Packed     int64   `json:"sent_bytes"`   // of these, as they are sent
	Read       int64   `json:"rows_read"`    // at the source
	Statements int64   `json:"statements"`   // at the source
	Seconds    float64 `json:"seconds"`      // of work, if nothing but the source and the bandwidth limit holds it up
	Estimated  bool    `json:"estimated"`    // not all of it is known exactly
	Unknown    bool    `json:"rows_unknown"` // how many will be sent is not known; Rows is 0
}

// plan makes the plan of the tables named, or of all.
func (a *app) plan(ctx context.Context, c *config.Config, names []string) (p plan, err error) {
	if err := resolve(ctx, c); err != nil {
		p.Notes = append(p.Notes, err.Error())
	}
	wanted, err := wantedTables(c, names)
	if err != nil {
		return p, err
	}
	there, err := askCloud(ctx, c)
	if err != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("the cloud does not tell what it has, so everything is planned as a first load: %s", err))
	}
	status := a.knownStatus(ctx, c)
	for _, s := range c.Sources {
		tables := slices.DeleteFunc(slices.Clone(s.Tables), func(t config.Table) bool { return !wanted[t.Dataset] })
		if len(tables) == 0 {
			continue
		}
		p.Tables = append(p.Tables, a.planSource(ctx, s, tables, there, epochOf(status, s.Name))...)
		if err := ctx.Err(); err != nil {
			return p, err
		}
	}
	p.sum(c)
	return p, nil
}

// wantedTables finds the datasets that names mean; no names mean all.
func wantedTables(c *config.Config, names []string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, s := range c.Sources {
		for _, t := range s.Tables {
			wanted[t.Dataset] = len(names) == 0 || slices.Contains(names, t.Dataset) ||
				slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, t.Name.String()) })
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(c.Sources, func(s config.Source) bool {
			return slices.ContainsFunc(s.Tables, func(t config.Table) bool { return t.Dataset == n || strings.EqualFold(n, t.Name.String()) })
		}) {
			return nil, fault.New("find table "+n, agent.ErrNoTable, "the configuration lists the tables")
		}
	}
	return wanted, nil
}

// cloudPatience is how long a plan waits for a cloud that it can do without.
const cloudPatience = 5 * time.Second

func askCloud(ctx context.Context, c *config.Config) (map[string]wire.Version, error) {
	client, err := openCloud(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	asked, cancel := context.WithTimeout(ctx, cloudPatience)
	defer cancel()
	versions, err := client.Versions(asked)
	if err != nil {
		if last := client.State().Err; last != nil { // says more than that time is up
			err = last
		}
		return nil, err
	}
	return versions.Tables, nil
}

// knownStatus is what the service tells, or left behind; empty where neither
// is to be had, which only means that a restore is not foreseen.
func (a *app) knownStatus(ctx context.Context, c *config.Config) agent.Status {
	client := control.NewClient(c.StateDir)
	defer client.Close()
	s, err := client.Status(ctx)
	if !errors.Is(err, control.ErrNotRunning) {
		return s
	}
	offline, closeIt, err := openOffline(ctx, c)
	if err != nil {
		return agent.Status{}
	}
	defer closeIt()
	s, _ = offline.Status(ctx) // else empty
	return s
}

func epochOf(s agent.Status, source string) string {
	for _, src := range s.Sources {
		if src.Name == source {
			return src.Epoch
		}
	}
	return ""
}

// planSource plans the tables of one source. What goes wrong with it is told
// of each.
func (a *app) planSource(ctx context.Context, s config.Source, tables []config.Table, there map[string]wire.Version, epoch string) []forecast {
	all := make([]forecast, len(tables))
	for i, t := range tables {
		all[i] = forecast{Table: t.Dataset}
	}
	fail := func(err error) []forecast {
		for i := range all {
			all[i].fail(err)
		}
		return all
	}
	source, err := openSource(s)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = source.Close() }()
	asked, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	catalog, err := source.Catalog(asked)
	if err != nil {
		return fail(err)
	}
	for i, t := range tables {
		version, known := there[t.Dataset]
		f := forecaster{source: source, table: t, version: version, restored: known && epoch != "" && version.Epoch != "" && version.Epoch != epoch}
		f.forecast(ctx, catalog, &all[i])
	}
	return all
}

// sum adds up what the tables cost. Several move at the same time.
func (p *plan) sum(c *config.Config) {
	longest := 0.0
	for _, t := range p.Tables {
		f := &p.Total
		f.Rows, f.Bytes, f.Packed, f.Read = f.Rows+t.Rows, f.Bytes+t.Bytes, f.Packed+t.Packed, f.Read+t.Read
		f.Statements, f.Seconds = f.Statements+t.Statements, f.Seconds+t.Seconds
		f.Estimated = f.Estimated || t.Estimated || t.Unknown
		longest = max(longest, t.Seconds)
	}
	p.Total.Seconds = max(longest, p.Total.Seconds/float64(c.Parallel))
	if b := int64(c.Cloud.Bandwidth); b > 0 {
		p.Total.Seconds = max(p.Total.Seconds, float64(p.Total.Packed)/float64(b))
	}
}

func (p *plan) failed() bool {
	return slices.ContainsFunc(p.Tables, func(f forecast) bool { return f.Error != "" })
}
