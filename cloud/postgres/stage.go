package postgres

import (
	"context"
	"slices"
	"strings"
)

// stages are the staging tables of one connection, the last used at the end:
// temporary tables, one for each dataset that came by, emptied by every
// commit. Few are kept, because each costs the server memory and catalog rows.
type stages struct {
	tables []stage
}

type stage struct {
	table string // quoted
	shape int
}

const maxStages = 8

// stagesKey finds them in the connection.
const stagesKey = "tidemark stages"

// prepareStage makes sure that the connection has a staging table for the dataset.
// It runs outside of a transaction, which could undo it.
func (c *session) prepareStage(ctx context.Context, d *shared) error {
	held, _ := c.PgConn().CustomData()[stagesKey].(*stages)
	if held == nil {
		held = new(stages)
		c.PgConn().CustomData()[stagesKey] = held
	}
	want := stage{d.staging(), d.shape}
	if i := slices.Index(held.tables, want); i >= 0 {
		held.tables = append(slices.Delete(held.tables, i, i+1), want)
		return nil
	}
	drop := "DROP TABLE IF EXISTS " + want.table
	keep := slices.DeleteFunc(slices.Clone(held.tables), func(s stage) bool { return s.table == want.table })
	if len(keep) == maxStages {
		drop += ", " + keep[0].table
		keep = keep[1:]
	}
	if _, err := c.PgConn().Exec(ctx, drop+"; "+createStage(d)).ReadAll(); err != nil {
		return err
	}
	held.tables = append(keep, want)
	return nil
}

func createStage(d *shared) string {
	var b strings.Builder
	b.WriteString("CREATE TEMPORARY TABLE " + d.staging() + " (_tm_line integer, _tm_rv bigint, _tm_epoch integer")
	for _, c := range d.Columns {
		b.WriteString(", " + quote(c.ID) + " " + d.pgType(c))
	}
	b.WriteString(") ON COMMIT DELETE ROWS")
	return b.String()
}
