package postgres

import (
	"context"
	"fmt"
)

// delete deletes the rows whose stamps are those of the batch's lines.
func (a *application) delete(ctx context.Context) ([]refused, error) {
	f := &feed{rows: a.b.Rows, columns: a.p.key, layout: intoKeys, current: a.next.EpochNumber}
	bad := map[int]string{}
	if err := a.fillStage(ctx, f, list(a.p.key, "%", ", "), bad); err != nil {
		return nil, err
	}
	tag, err := a.c.Exec(ctx, a.p.deleteSQL(), a.b.Customer)
	if err != nil {
		return nil, err
	}
	more, err := collect(a.b.Rows, bad, nil)
	rows := append(f.refused, more...)
	a.answer.Deleted = int(tag.RowsAffected())
	a.answer.Guarded = a.b.Header.Rows - len(rows) - a.answer.Deleted
	return rows, err
}

func (p *plan) deleteSQL() string {
	return fmt.Sprintf(`DELETE FROM %s t USING %s s
		WHERE t.customer_id = $1 AND %s AND t._tm_rv = s._tm_rv AND t._tm_epoch = s._tm_epoch`,
		p.target(), p.staging(), list(p.key, "t.% = s.%", " AND "))
}
