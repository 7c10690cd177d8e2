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
// Each line is looked up once, by the primary key, so that the cost depends on
// the batch and not on the table. A row that is there and has changed is
// updated where it was found, which saves looking for it and locking it a
// second time; updated has the row version and epoch that it had. Unchanged
// rows are neither locked nor written. What is not there is inserted, without
// ON CONFLICT, which would look for it again and log each row twice. Keys are
// looked up in order, which finds the pages of index and table in memory: that
// is worth what sorting costs, and a tenth of all on a busy machine.
//
// What a batch changes is known in two places, with the row version and epoch
// that it had: here updated and inserted, which had none, and in deleteSQL,
// where it is that of the stage. (A first load's rows are all inserted: see
// copyDirect.) Anything else that is kept about rows comes from there.
//
// That a row is still where it was found, and that one that was not there
// still is not, is sure as long as all writers hold the version's lock. If one
// did not, or if one key is staged twice, a changed row is left over, or the
// primary key refuses one.
func (p *plan) mergeSQL(from string, told bool) string {
	with := "WITH "
	if from == inlined {
		with += inline(5, false, p.columns) + ", "
	}
	tells := "(SELECT count(*) FROM found WHERE _tm_place IS NULL), (SELECT count(*) FROM updated), " +
		"(SELECT count(*) FROM found WHERE _tm_changed) = (SELECT count(*) FROM updated)"
	if told {
		tells = `(SELECT count(*) FROM found WHERE _tm_changed) = coalesce(cardinality(u.lines), 0),
	(SELECT array_agg(_tm_line) FROM found WHERE _tm_place IS NULL), u.*
	FROM (SELECT array_agg(_tm_line) AS lines, array_agg(_tm_old_epoch), array_agg(_tm_old_rv) FROM updated) u`
	}
	return with + `found AS MATERIALIZED (
	SELECT s._tm_line, s._tm_rv, ` + list(p.columns, "s.%", ", ") + `, o.place AS _tm_place, o._tm_rv AS _tm_old_rv, o._tm_epoch AS _tm_old_epoch,
		o._tm_epoch <> $2 OR ` + p.newer("s", "o") + ` AS _tm_changed
	FROM (SELECT * FROM ` + from + ` s WHERE s._tm_line >= $3 AND s._tm_line < $4 ORDER BY ` + list(p.key, "s.%", ", ") + ` OFFSET 0) s
	LEFT JOIN LATERAL (
		SELECT t.ctid AS place, t._tm_rv, t._tm_epoch FROM ` + p.target() + ` t
		WHERE t.customer_id = $1 AND ` + list(p.key, "t.% = s.%", " AND ") + ` LIMIT 1) o ON true
), updated AS (
	UPDATE ` + p.target() + ` t SET ` + p.assignments("s") + `, _tm_epoch = $2
	FROM found s WHERE s._tm_changed AND t.ctid = s._tm_place AND t.customer_id = $1
	RETURNING s._tm_line, s._tm_old_rv, s._tm_old_epoch
), inserted AS (
	INSERT INTO ` + p.target() + ` (customer_id, ` + list(p.columns, "%", ", ") + `, _tm_rv, _tm_epoch)
	SELECT $1, ` + list(p.columns, "s.%", ", ") + `, s._tm_rv, $2 FROM found s WHERE s._tm_place IS NULL
)
SELECT ` + tells
}
