package engine

import (
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A source is one entry of FROM: something with named columns whose rows the
// frame holds one at a time.
type source struct {
	pos     int    // place in the frame
	name    string // alias, or the table's name
	schema  string // of a table without alias
	cols    []srcCol
	lay     *layout
	table   *table
	index   *index // demanded by a hint
	seek    bool   // FORCESEEK
	locking bool   // READCOMMITTEDLOCK
	skip    bool   // READPAST

	// rows gives the rows of anything but a table. Outer is the frame of the
	// query around.
	rows    func(outer *frame, emit func([]byte) error) error
	changes bool // its rows depend on the outer frame

	left bool      // right side of a left outer join
	on   tsql.Cond // its condition
}

type srcCol struct {
	name     string
	typ      tds.Type
	nullable bool
	coll     collation
	collName string
}

// A scope is where the names of one SELECT are looked up.
type scope struct {
	outer   *scope
	sources []*source
	group   *grouping // set while a grouped SELECT list is compiled
	touched uint64    // positions of the sources that were referred to
	escaped bool      // something referred to an outer scope
}

// A frame holds the current rows of one SELECT.
type frame struct {
	rows  []rowView
	aggs  []value
	outer *frame
}

func (f *frame) up(depth int) *frame {
	for ; depth > 0; depth-- {
		f = f.outer
	}
	return f
}

// A variable is a T-SQL variable or parameter.
type variable struct {
	typ tds.Type
	val value
}

// An expr is a compiled scalar expression.
type expr struct {
	typ      tds.Type
	coll     collation
	explicit string // collation given by COLLATE
	nullable bool
	null     bool    // the literal NULL
	fixed    bool    // has one value as long as the outer rows stay
	src      *source // of a plain column of the innermost scope
	col      int
	same     *expr // a plain column whose stored form is that of this value
	depth    int
	eval     func(*frame) (value, error)
}

// fail leaves the compiler, which is entered through compiling.
func fail(err error) { panic(compileError{err}) }

type compileError struct{ err error }

// compiling runs f, turning its failures into an error.
func compiling(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case compileError:
			err = r.err
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// lookup finds a column. The innermost scope that knows the name wins.
func (s *scope) lookup(parts []string) (src *source, col, depth int) {
	name := parts[len(parts)-1]
	bound := len(parts) == 1
	for sc := s; sc != nil; sc, depth = sc.outer, depth+1 {
		for _, cand := range sc.sources {
			if len(parts) > 1 && !cand.named(parts[:len(parts)-1]) {
				continue
			}
			bound = true
			for i, c := range cand.cols {
				if !strings.EqualFold(c.name, name) {
					continue
				}
				if src != nil {
					fail(errorf(209, "Ambiguous column name '%s'.", name))
				}
				src, col = cand, i
			}
		}
		if src != nil {
			sc.touched |= 1 << src.pos
			for in := s; in != sc; in = in.outer {
				in.escaped = true
			}
			return src, col, depth
		}
	}
	if !bound {
		fail(errorf(4104, "The multi-part identifier \"%s\" could not be bound.", strings.Join(parts, ".")))
	}
	fail(errInvalidColumn(name))
	return nil, 0, 0
}

// named tells whether qualifiers mean this source.
func (s *source) named(q []string) bool {
	if !strings.EqualFold(q[len(q)-1], s.name) {
		return false
	}
	return len(q) == 1 || s.schema != "" && strings.EqualFold(q[len(q)-2], s.schema)
}
