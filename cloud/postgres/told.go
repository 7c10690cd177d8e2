package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// merged is what a merge tells of its lines.
type merged struct {
	inserted, updated, epochs []int32
	versions                  []int64
	complete                  bool // nothing was left over
}

// mergeTold runs the merge that tells which lines were new, and what those
// that were not have replaced. These are four numbers for each row: they come
// in binary form, because text would cost more than all sums. Rows are what a
// statement that carries them takes; a staging table has them already, and a
// savepoint to come back to.
func (a *application) mergeTold(ctx context.Context, sql string, low, high int, rows ...[]byte) (m merged, err error) {
	var b pgconn.Batch
	if len(rows) == 0 {
		b.ExecParams("SAVEPOINT tm", nil, nil, nil, nil)
	}
	params := [][]byte{[]byte(a.b.Customer)}
	for _, n := range []int64{a.next.EpochNumber, int64(low), int64(high)} {
		params = append(params, strconv.AppendInt(nil, n, 10))
	}
	b.ExecParams(sql, append(params, rows...), nil, formats(len(params), len(rows)), []int16{1})
	results, err := a.c.PgConn().ExecBatch(ctx, &b).ReadAll()
	if err != nil {
		return m, err
	}
	told := results[len(results)-1].Rows
	if len(told) != 1 || len(told[0]) != 5 || len(told[0][0]) != 1 {
		return m, errTold
	}
	row := told[0]
	m.complete = row[0][0] != 0
	for i, into := range []*[]int32{&m.inserted, &m.updated, &m.epochs} {
		err = errors.Join(err, eachElement(row[1+i], 4, func(e []byte) { *into = append(*into, int32(binary.BigEndian.Uint32(e))) }))
	}
	err = errors.Join(err, eachElement(row[4], 8, func(e []byte) { m.versions = append(m.versions, int64(binary.BigEndian.Uint64(e))) }))
	if err == nil && (len(m.updated) != len(m.epochs) || len(m.updated) != len(m.versions)) {
		err = errTold
	}
	return m, err
}

// oneArray is the one value of the one row of a result, an array of integers.
func oneArray(rows [][][]byte) (all []int32, err error) {
	if len(rows) != 1 || len(rows[0]) != 1 {
		return nil, errTold
	}
	err = eachElement(rows[0][0], 4, func(e []byte) { all = append(all, int32(binary.BigEndian.Uint32(e))) })
	return all, err
}

var errTold = errors.New("what a merge told is not what was asked for")

// eachElement calls f for the elements of an array in its binary form, all of
// width bytes and none null: dimensions, flags and type; size and lower bound
// of the one dimension; each element behind its length (array_send in the
// server's source). A null array is an empty one.
func eachElement(b []byte, width int, f func([]byte)) error {
	if len(b) == 0 || len(b) >= 12 && binary.BigEndian.Uint32(b) == 0 {
		return nil
	}
	if len(b) < 20 || binary.BigEndian.Uint32(b) != 1 {
		return errTold
	}
	n := int(binary.BigEndian.Uint32(b[12:]))
	b = b[20:]
	if len(b) != n*(4+width) {
		return errTold
	}
	for ; len(b) > 0; b = b[4+width:] {
		if binary.BigEndian.Uint32(b) != uint32(width) {
			return errTold
		}
		f(b[4 : 4+width])
	}
	return nil
}
