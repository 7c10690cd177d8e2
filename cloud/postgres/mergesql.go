package postgres

import (
	"slices"
	"strings"
)

// flip makes signed order of unsigned order: it flips the sign bit.
const flip = " # '-9223372036854775808'::bigint)"

// newer compares two row versions: for wire.ByRowVersion as the unsigned
// numbers that they are, for wire.ByContent only whether they differ.
func (p *plan) newer(row, than string) string {
	if !p.byRV {
		return row + "._tm_rv <> " + than + "._tm_rv"
	}
	return "(" + row + "._tm_rv" + flip + " > (" + than + "._tm_rv" + flip
}

// assignments set the columns that are no key's to those of row; those that
// the schema lacks to null.
func (p *plan) assignments(row string) string {
	var set []string
	for i, c := range p.columns {
		if !slices.Contains(p.keyAt, i) {
			set = append(set, c.id+" = "+row+"."+c.id)
		}
	}
	for _, c := range p.absent() {
		set = append(set, c.id+" = NULL")
	}
	return strings.Join(append(set, "_tm_rv = "+row+"._tm_rv"), ", ")
}

// mergeSQL brings the lines $3 to $4 - 1 of the staging table, or those that the
// statement carries from $5 on, into the table, for customer $1 and epoch
// number $2. Its row is: inserted, updated, and whether nothing
// was left over; told: whether nothing was left over, the lines inserted, and
// the lines updated with the epochs and row versions that they had.
//
// Stage and table are joined by the primary key, one row at a time, so that
// the cost depends on the batch and not on the table. A row that is there and
// has changed is updated where it was found, which saves looking for it and
// locking it a second time; updated has the row version and epoch that it had.
// Unchanged rows are neither locked nor written. The rest is inserted. Keys
// are looked up in order, which finds the pages of index and table in memory.
//
// What a batch changes is known in two places, with the row version and epoch
// that it had: here updated and inserted, which had none, and in deleteSQL,
// where it is that of the stage. (A first load's rows are all inserted: see
// copyDirect.) Anything else that is kept about rows comes from there.
//
// Lines that were updated are left out by NOT IN, for which the server makes a
// hash of them whatever it believes their number to be. It believes that they
// are few, and held each line against each with NOT EXISTS: nine tenths of the
// time of a batch of 1,000.
//
// That a row is still where it was found is sure as long as all writers hold
// the version's lock. If one did not, or if one key is staged twice, a changed
// row is left over.
func (p *plan) mergeSQL(from string, told bool) string {
	lines := "s._tm_line >= $3 AND s._tm_line < $4"
	found := `LATERAL (
		SELECT t.ctid AS place, t._tm_rv, t._tm_epoch FROM ` + p.target() + ` t
		WHERE t.customer_id = $1 AND ` + list(p.key, "t.% = s.%", " AND ") + ` LIMIT 1) o ON true`
	changed := "(o._tm_epoch <> $2 OR " + p.newer("s", "o") + ")"
	tells := "(SELECT count(*) FILTER (WHERE new) FROM inserted), (SELECT count(*) FROM updated), NOT EXISTS (SELECT FROM rest WHERE NOT absent)"
	if told {
		tells = `NOT EXISTS (SELECT FROM rest WHERE NOT absent) AND NOT EXISTS (SELECT FROM inserted WHERE NOT new),
	(SELECT array_agg(_tm_line) FROM rest WHERE absent), u.*
	FROM (SELECT array_agg(_tm_line), array_agg(old_epoch), array_agg(old_rv) FROM updated) u`
	}
	with := "WITH "
	if from == inlined {
		with += inline(5, false, p.columns) + ", "
	}
	return with + `updated AS (
	UPDATE ` + p.target() + ` t SET ` + p.assignments("s") + `, _tm_epoch = $2
	FROM (SELECT * FROM ` + from + ` s WHERE ` + lines + ` ORDER BY ` + list(p.key, "s.%", ", ") + ` OFFSET 0) s JOIN ` + found + `
	WHERE t.ctid = o.place AND t.customer_id = $1 AND ` + changed + `
	RETURNING s._tm_line, o._tm_rv AS old_rv, o._tm_epoch AS old_epoch
), rest AS MATERIALIZED (
	SELECT s._tm_line, o.place IS NULL AS absent
	FROM (SELECT * FROM ` + from + ` s
		WHERE ` + lines + ` AND s._tm_line NOT IN (SELECT _tm_line FROM updated) OFFSET 0) s
	LEFT JOIN ` + found + `
	WHERE o.place IS NULL OR ` + changed + `
), inserted AS (
	INSERT INTO ` + p.target() + ` AS t (customer_id, ` + list(p.columns, "%", ", ") + `, _tm_rv, _tm_epoch)
	SELECT $1, ` + list(p.columns, "s.%", ", ") + `, s._tm_rv, $2 FROM ` + from + ` s JOIN rest r USING (_tm_line) WHERE r.absent
	ON CONFLICT (customer_id, ` + list(p.key, "%", ", ") + `) DO UPDATE SET ` + p.assignments("excluded") + `, _tm_epoch = excluded._tm_epoch
	WHERE t._tm_epoch <> excluded._tm_epoch OR ` + p.newer("excluded", "t") + `
	RETURNING t.xmax = 0 AS new
)
SELECT ` + tells
}
