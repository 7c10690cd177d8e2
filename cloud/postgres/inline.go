package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"tidemark/cloud"
)

// A batch of so many rows at most, and of so many bytes in Postgres' form, is
// sent along with the statement that merges it. A staging table costs as much
// whatever it holds: it has to be there in every session for every dataset, is
// emptied by each commit along with all others of the session, and catalogs
// have to be written and vacuumed for it.
const (
	inlineRows  = 2_000
	inlineBytes = 1 << 20
)

// fits tells whether a batch can go inline, as far as is known before it is
// read.
func fits(b cloud.Batch) bool { return b.Header.Rows <= inlineRows && b.Bytes <= inlineBytes }

// inlined is the name of the rows of a statement that carries them.
const inlined = "stage"

// inline is the query that makes rows of parameters from $first on: lines and
// row versions, and epochs if there are any, and then an array of texts for
// each column.
func inline(first int, epochs bool, columns []column) string {
	names, params := []string{"_tm_line", "_tm_rv"}, []string{param(first) + "::integer[]", param(first+1) + "::bigint[]"}
	if epochs {
		names, params = append(names, "_tm_epoch"), append(params, param(first+2)+"::integer[]")
	}
	values := append([]string(nil), names...)
	for _, c := range columns {
		values = append(values, c.id+"::"+c.pgType+" AS "+c.id)
		params = append(params, param(first+len(names))+"::text[]")
		names = append(names, c.id)
	}
	return inlined + " AS (SELECT " + strings.Join(values, ", ") + " FROM unnest(" + strings.Join(params, ", ") + ") AS s(" + strings.Join(names, ", ") + "))"
}

func param(n int) string { return "$" + strconv.Itoa(n) }

// errTooMuch is of a batch that is too large to go inline.
var errTooMuch = errors.New("the batch is too large for its statement")

// arrays reads the feed to its end into the arrays that inline takes.
func (f *feed) arrays() ([][]byte, error) {
	all := []array{newArray(int4OID), newArray(int8OID)}
	if f.layout == intoKeys {
		all = append(all, newArray(int4OID))
	}
	fixed := len(all)
	for range f.columns {
		all = append(all, newArray(textOID))
	}
	for size := 0; size <= inlineBytes; {
		row, err := f.rows.Next()
		if errors.Is(err, io.EOF) {
			params := make([][]byte, len(all))
			for i := range all {
				params[i] = all[i].end()
			}
			return params, nil
		}
		if err != nil {
			return nil, err
		}
		if row.Refusal != nil {
			f.refused = append(f.refused, keepRefused(*row.Refusal, row.Key))
			continue
		}
		refused, err := f.elements(all, fixed, row)
		if err != nil {
			return nil, err
		}
		for i := range all {
			size += all[i].take(!refused)
		}
	}
	return nil, errTooMuch
}

// elements appends one row, an element to each array; true when it is refused.
func (f *feed) elements(all []array, fixed int, row cloud.Row) (bool, error) {
	epoch := row.Epoch
	if epoch == 0 {
		epoch = f.current
	}
	if epoch > math.MaxInt32 { // there is none such: what the table's column makes of it
		return false, errTooMuch
	}
	all[0].int4(int32(row.Index))
	all[1].int8(int64(row.Version))
	if fixed == 3 {
		all[2].int4(int32(epoch))
	}
	for i, c := range f.columns {
		if err := all[fixed+i].text(c.form, row.Values[i]); err != nil {
			if !errors.Is(err, errMoment) {
				return false, err
			}
			f.refuse(row, c, err)
			return true, nil
		}
	}
	return false, f.keys.add(row, f.keyAt, epoch)
}

// upsertInline applies the rows of a batch in one statement that carries them.
// What Postgres refuses, and a key that is there twice, is for the next way to
// sort out.
func (a *application) upsertInline(ctx context.Context) ([]refused, error) {
	f := &feed{rows: a.b.Rows, columns: a.p.columns, keyAt: a.p.keyAt, layout: intoStage, keys: a.sum.begin(a.p)}
	rows, err := f.arrays()
	if err != nil {
		return nil, a.otherwise(err)
	}
	m, err := a.mergeTold(ctx, a.p.mergeInline, 0, a.b.Header.Rows, rows...)
	if err != nil || !m.complete {
		return nil, a.otherwise(err)
	}
	a.answer.Inserted, a.answer.Updated = len(m.inserted), len(m.updated)
	a.answer.Unchanged = a.b.Header.Rows - len(f.refused) - a.answer.Inserted - a.answer.Updated
	return f.refused, a.sum.merged(m)
}

// deleteInline deletes the keys of a batch in one statement that carries them.
func (a *application) deleteInline(ctx context.Context) ([]refused, error) {
	f := &feed{rows: a.b.Rows, columns: a.p.key, layout: intoKeys, current: a.next.EpochNumber, keys: a.sum.begin(a.p)}
	keys, err := f.arrays()
	if err != nil {
		return nil, a.otherwise(err)
	}
	params := [][]byte{[]byte(a.b.Customer)}
	result := a.c.PgConn().ExecParams(ctx, "WITH "+inline(2, true, a.p.key)+", gone AS ("+a.p.deleteSQL(inlined)+
		" RETURNING s._tm_line) SELECT array_agg(_tm_line) FROM gone", append(params, keys...), nil, formats(len(params), len(keys)), []int16{1}).Read()
	if result.Err != nil {
		return nil, a.otherwise(result.Err)
	}
	lines, err := oneArray(result.Rows)
	if err != nil {
		return nil, err
	}
	a.answer.Deleted = len(lines)
	a.answer.Guarded = a.b.Header.Rows - len(f.refused) - a.answer.Deleted
	if a.sum == nil {
		return f.refused, nil
	}
	return f.refused, a.sum.deleted(lines)
}

// otherwise has the next attempt go by the staging table, where that helps.
func (a *application) otherwise(err error) error {
	switch {
	case err == nil:
		a.way = staged
		return errOtherWay
	case errors.Is(err, errTooMuch), isRowError(err):
		a.way = staged
		return fmt.Errorf("%w: %w", errOtherWay, err)
	}
	return err
}
