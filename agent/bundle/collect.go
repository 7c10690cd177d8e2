package bundle

import (
	"context"
	"fmt"
	"regexp"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/state"
)

// maxQuarantine bounds the rows in quarantine that are listed.
const maxQuarantine = 1000

// Collect adds all that a running agent, or its state file, tells of a site.
func (a *Archive) Collect(ctx context.Context, v agent.Viewer) {
	s, err := v.Status(ctx)
	if err != nil {
		a.Missing("status.json", err)
		return
	}
	a.JSON("status.json", s)
	if t, ok := v.(interface {
		Statistics(context.Context) (state.Statistics, error)
	}); ok {
		if n, err := t.Statistics(ctx); err != nil {
			a.Missing("state_use.json", err)
		} else {
			a.JSON("state_use.json", n)
		}
	}
	if rows, err := v.Quarantine(ctx, ""); err != nil {
		a.Missing("quarantine.json", err)
	} else if len(rows) > 0 {
		if len(rows) > maxQuarantine {
			a.Missing("quarantine.json", fmt.Errorf("it holds the first %d of %d rows", maxQuarantine, len(rows)))
			rows = rows[:maxQuarantine]
		}
		a.JSON("quarantine.json", rows)
	}
	for i, t := range s.Tables {
		name := fileName(i, t.Name)
		if e, err := v.Explain(ctx, t.Name); err != nil {
			a.Missing("explain/"+name, err)
		} else {
			a.JSON("explain/"+name, e)
		}
		if entries, err := v.Journal(ctx, t.Name, 0); err != nil {
			a.Missing("journal/"+name, err)
		} else {
			a.JSON("journal/"+name, append([]journal.Entry{}, entries...))
		}
	}
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName is the name of a table's file: its own where that is safe.
func fileName(i int, table string) string {
	name := unsafe.ReplaceAllString(table, "_")
	if name != table || name[0] == '.' {
		name = fmt.Sprintf("%03d_%s", i+1, name)
	}
	return name + ".json"
}
