package postgres

import (
	"context"
	"fmt"
)

// delete deletes the rows whose stamps are those of the batch's lines.
func (a *application) delete(ctx context.Context) ([]refused, error) {
	if a.way == inlineWay {
		return a.deleteInline(ctx)
	}
	f := &feed{rows: a.b.Rows, columns: a.p.key, layout: intoKeys, current: a.next.EpochNumber, keys: a.sum.begin(a.p)}
	bad := map[int]string{}
	if err := a.fillStage(ctx, f, list(a.p.key, "%", ", "), bad); err != nil {
		return nil, err
	}
	deleted, err := a.deleteStaged(ctx)
	if err != nil {
		return nil, err
	}
	more, err := collect(a.b.Rows, bad, nil)
	rows := append(f.refused, more...)
	a.answer.Deleted = deleted
	a.answer.Guarded = a.b.Header.Rows - len(rows) - a.answer.Deleted
	return rows, err
}

// deleteStaged deletes the rows that the stage names.
func (a *application) deleteStaged(ctx context.Context) (int, error) {
	if a.sum == nil {
		tag, err := a.c.Exec(ctx, a.p.deleteSQL(a.p.staging()), a.b.Customer)
		return int(tag.RowsAffected()), err
	}
	var lines []int32
	err := a.c.QueryRow(ctx, "WITH gone AS ("+a.p.deleteSQL(a.p.staging())+" RETURNING s._tm_line) SELECT array_agg(_tm_line) FROM gone", a.b.Customer).Scan(&lines)
	if err != nil {
		return 0, err
	}
	return len(lines), a.sum.deleted(lines)
}

// deleteSQL deletes what the rows of from name, for customer $1. Each row is looked
// up by the primary key, as in mergeSQL: a plain join reads all of a table that
// is not much larger than the planner believes a stage to be.
func (p *plan) deleteSQL(from string) string {
	return fmt.Sprintf(`DELETE FROM %[1]s t USING (
		SELECT s._tm_line, o.place FROM (SELECT * FROM %[2]s ORDER BY %[4]s OFFSET 0) s JOIN LATERAL (
			SELECT t.ctid AS place FROM %[1]s t
			WHERE t.customer_id = $1 AND %[3]s AND t._tm_rv = s._tm_rv AND t._tm_epoch = s._tm_epoch LIMIT 1) o ON true) s
		WHERE t.ctid = s.place AND t.customer_id = $1`,
		p.target(), from, list(p.key, "t.% = s.%", " AND "), list(p.key, "%", ", "))
}
