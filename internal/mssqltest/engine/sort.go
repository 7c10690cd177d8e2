package engine

import (
	"slices"
	"strings"

	"tidemark/internal/mssqltest/tds"
)

// A sortKey is an entry of ORDER BY: an expression over the frame, or an
// output column where x is nil.
type sortKey struct {
	x    *expr
	typ  tds.Type
	coll collation
	desc bool
	out  int
}

// A sorter orders rows in memory. With keep it forgets what comes after the
// first keep rows.
type sorter struct {
	keys []sortKey
	keep int
	rows []sortRow
}

type sortRow struct {
	key string
	row [][]byte
}

func (s *sorter) add(f *frame, row [][]byte) error {
	var key []byte
	for _, k := range s.keys {
		var v value
		var err error
		if k.x != nil {
			v, err = k.x.eval(f)
		} else {
			v, err = decode(k.typ, row[k.out])
		}
		if err != nil {
			return err
		}
		at := len(key)
		key = appendKey(key, k.typ, v, k.coll)
		if k.desc {
			invert(key[at:])
		}
	}
	size := 0
	for _, v := range row {
		size += len(v)
	}
	block := make([]byte, 0, size)
	own := make([][]byte, len(row))
	for i, v := range row {
		at := len(block)
		block = append(block, v...)
		own[i] = block[at:len(block):len(block)]
	}
	s.rows = append(s.rows, sortRow{string(key), own})
	if s.keep > 0 && len(s.rows) > 2*s.keep+1024 {
		s.sort()
		s.rows = s.rows[:s.keep]
	}
	return nil
}

func (s *sorter) sort() {
	slices.SortStableFunc(s.rows, func(a, b sortRow) int { return strings.Compare(a.key, b.key) })
}

func (s *sorter) emit(emit func([][]byte) error) error {
	s.sort()
	for _, r := range s.rows {
		if err := emit(r.row); err != nil {
			return err
		}
	}
	return nil
}
