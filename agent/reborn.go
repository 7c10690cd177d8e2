package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// A column that is dropped and made again under its name gives no row a new
// row version, and the table may have the schema that it had. Its column_id
// tells: SQL Server gives none twice. The ids that rows were sent with are
// among the version's marks.

// columnIDs are the ids of a table's columns, ascending; nil where the server
// does not tell them.
func columnIDs(t *sqlserver.Table) []int {
	ids := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		if ids[i] = c.ID; c.ID == 0 {
			return nil
		}
	}
	slices.Sort(ids)
	return ids
}

// reborn returns, under mu, the columns whose ids are none of those that the
// cloud's rows were sent with: columns that are new, or were dropped and made
// again. None where that is not known, and none that the cloud was told of
// already; its next rows come with other marks.
func (t *table) reborn(v wire.Version) (names []string) {
	if t.sql == nil || t.sql.Refused != "" {
		return nil
	}
	ids, had := columnIDs(t.sql), parseMarks(v.Marks).Columns
	switch {
	case len(ids) == 0 || len(had) == 0:
		return nil
	case slices.Equal(ids, had):
		t.told = nil
		return nil
	case slices.Equal(ids, t.told):
		return nil
	}
	for i, c := range t.sql.Columns {
		inKey := slices.ContainsFunc(t.sql.Key, func(k sqlserver.KeyColumn) bool { return k.Index == i })
		if !inKey && !slices.Contains(had, c.ID) { // rows of another key are other rows
			names = append(names, c.Name)
		}
	}
	return names
}

// unregister registers the table without some columns. Once they are there
// again, the cloud's rows count as another epoch's until a load has sent them.
func (c *cycle) unregister(ctx context.Context, schema wire.Schema, names []string) error {
	schema.Columns = slices.DeleteFunc(slices.Clone(schema.Columns), func(w wire.Column) bool { return slices.Contains(names, w.Name) })
	_, err := c.t.a.cloud().Register(ctx, c.t.site.Dataset, schema)
	c.out.Requests++
	c.out.Note = fmt.Sprintf("columns registered anew: %s new, or dropped and made again", strings.Join(names, ", "))
	return err
}
