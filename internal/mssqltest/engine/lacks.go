package engine

import (
	"strings"
)

// numNotSupported is the number that Babelfish gives for everything that it
// does not support.
const numNotSupported = 33557097

// lackSet are the names of DatabaseOptions.Lacks, in upper case.
type lackSet map[string]bool

func newLackSet(names []string) *lackSet {
	set := lackSet{}
	for _, n := range names {
		set[strings.ToUpper(n)] = true
	}
	return &set
}

// lacks tells whether the database is without something that SQL Server has;
// the words of a longer name are separated by blanks.
func (db *Database) lacks(words ...string) bool {
	set := *db.lack.Load()
	return len(set) > 0 && set[strings.ToUpper(strings.Join(words, " "))]
}

// refuse fails the compiler where the database lacks something.
func (x *exec) refuse(what string, words ...string) {
	if x.db.lacks(words...) {
		fail(errorf(numNotSupported, "'%s' is not currently supported", what))
	}
}

// viewCols are the columns of a view but for those that are lacking, whose
// names are nobody's.
func (x *exec) viewCols(v *catalogView) []srcCol {
	cols := v.cols
	for i, c := range v.cols {
		if x.db.lacks(v.schema + "." + v.name + "." + c.name) {
			if &cols[0] == &v.cols[0] {
				cols = append([]srcCol(nil), v.cols...)
			}
			cols[i].name = ""
		}
	}
	return cols
}
