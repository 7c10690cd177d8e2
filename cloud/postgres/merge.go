package postgres

import (
	"context"
	"fmt"
)

// merge brings the staged lines from low to high - 1 into the table. When
// Postgres refuses a row of them, halves are tried, down to the row, whose
// line and reason go into bad. When one key is staged twice the lines that are
// not the newest are dropped first.
func (a *application) merge(ctx context.Context, low, high int, bad map[int]string) error {
	if low >= high {
		return nil
	}
	complete, err := a.mergeStaged(ctx, low, high)
	if err == nil && complete {
		return nil
	}
	if err != nil && !isRowError(err) {
		return err
	}
	if err := a.c.pipeline(ctx, statement{sql: "ROLLBACK TO tm"}, statement{sql: "RELEASE tm"}); err != nil {
		return err
	}
	switch {
	case !a.unique && (err == nil || code(err) == codeUnique):
		a.unique = true
		if _, err := a.c.Exec(ctx, a.p.dropTwins()); err != nil {
			return err
		}
		return a.merge(ctx, low, high, bad)
	case err == nil:
		return fmt.Errorf("%w: rows moved although the version is locked", errStale)
	case high-low == 1:
		bad[low] = reason(err)
		return nil
	}
	middle := low + (high-low)/2
	if err := a.merge(ctx, low, middle, bad); err != nil {
		return err
	}
	return a.merge(ctx, middle, high, bad)
}

// mergeStaged runs the statement, and counts what it did when it did all.
func (a *application) mergeStaged(ctx context.Context, low, high int) (complete bool, err error) {
	if a.sum != nil {
		m, err := a.mergeTold(ctx, a.p.mergeTold, low, high)
		if err != nil || !m.complete {
			return false, err
		}
		a.answer.Inserted += len(m.inserted)
		a.answer.Updated += len(m.updated)
		return true, a.sum.merged(m)
	}
	var inserted, updated int
	err = a.c.pipeline(ctx, statement{sql: "SAVEPOINT tm"},
		statement{sql: a.p.merge, args: []any{a.b.Customer, a.next.EpochNumber, low, high}, scan: []any{&inserted, &updated, &complete}})
	if err == nil && complete {
		a.answer.Inserted += inserted
		a.answer.Updated += updated
	}
	return complete, err
}

// dropTwins is the statement that leaves of several staged lines with one key
// the newest.
func (p *plan) dropTwins() string {
	newest := "_tm_line DESC"
	if p.byRV {
		newest = "(_tm_rv" + flip + " DESC, _tm_line"
	}
	return "DELETE FROM " + p.staging() + ` s USING (
		SELECT _tm_line, row_number() OVER (PARTITION BY ` + list(p.key, "%", ", ") + ` ORDER BY ` + newest + `) AS place
		FROM ` + p.staging() + `) d WHERE d._tm_line = s._tm_line AND d.place > 1`
}
