package engine

import (
	"slices"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// An atom is a comparison of a column of one source with something that is
// known before the source is read.
type atom struct {
	col  int
	op   string
	x    *expr
	mask uint64 // sources that x reads
}

// A dnf is an OR of ANDs of atoms that is implied by a predicate; an empty
// AND says nothing. The predicate itself is always checked as well.
type dnf [][]atom

// anything restricts nothing.
var anything = dnf{{}}

// maxDisjuncts bounds the ranges that one predicate can ask for.
const maxDisjuncts = 2048

// atoms finds what a predicate says about the columns of src.
func (c *compiler) atoms(e tsql.Cond, src *source) dnf {
	switch e := e.(type) {
	case *tsql.And:
		out := anything
		for _, p := range e.Parts {
			out = cross(out, c.atoms(p, src))
		}
		return out
	case *tsql.Or:
		var out dnf
		for _, p := range e.Parts {
			d := c.atoms(p, src)
			if len(out)+len(d) > maxDisjuncts {
				return anything
			}
			out = append(out, d...)
		}
		return out
	case *tsql.Compare:
		return c.comparisonAtom(e.Op, e.L, e.R, src)
	case *tsql.In:
		if e.Not || e.Query != nil || len(e.List) > maxDisjuncts {
			return anything
		}
		var out dnf
		for _, item := range e.List {
			out = append(out, c.comparisonAtom("=", e.X, item, src)...)
		}
		return out
	}
	return anything
}

func cross(a, b dnf) dnf {
	if len(a)*len(b) > maxDisjuncts {
		if len(a) <= len(b) {
			return a
		}
		return b
	}
	var out dnf
	for _, x := range a {
		for _, y := range b {
			out = append(out, append(slices.Clip(slices.Clone(x)), y...))
		}
	}
	return out
}

var flipped = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (c *compiler) comparisonAtom(op string, l, r tsql.Expr, src *source) dnf {
	if op == "<>" {
		return anything
	}
	for _, side := range []struct {
		col, x tsql.Expr
		op     string
	}{{l, r, op}, {r, l, flipped[op]}} {
		if _, ok := side.col.(*tsql.ColumnRef); !ok {
			continue
		}
		col := c.expr(side.col)
		if col.src != src {
			continue
		}
		saved := c.scope.touched
		c.scope.touched = 0
		x := c.expr(side.x)
		mask := c.scope.touched
		c.scope.touched = saved
		if mask&(1<<src.pos) == 0 && seekable(src.cols[col.col], x) {
			return dnf{{{col.col, side.op, x, mask}}}
		}
	}
	return anything
}

// seekable tells whether the comparison happens in the column's own type, so
// that its index can be used. As in SQL Server, an nvarchar value against a
// varchar column converts the column and reads all of it.
func seekable(col srcCol, x *expr) bool {
	t, err := common(col.typ, x.typ)
	if err != nil || classOf(t.Kind) != classOf(col.typ.Kind) {
		return x.null && err == nil
	}
	if x.explicit != "" && !strings.EqualFold(x.explicit, col.collName) {
		return false
	}
	if classOf(t.Kind) == clStr {
		return isUnicode(col.typ.Kind) || !isUnicode(x.typ.Kind)
	}
	return true
}

// bound is the key of a value to compare a column with; exact is false where
// the column's type cannot hold it, which then bounds nothing.
func bound(col *column, x *expr, v value) (key []byte, exact bool) {
	t := col.typ
	switch classOf(t.Kind) {
	case clStr:
		if classOf(x.typ.Kind) == clStr {
			return appendKey(nil, t, v, col.coll), true
		}
	case clInt:
		if classOf(x.typ.Kind) == clInt {
			return appendKey(nil, t, v, col.coll), true
		}
	case clBin:
		if t.Kind != tds.RowVersion && classOf(x.typ.Kind) == clBin {
			return appendKey(nil, t, v, col.coll), true
		}
	}
	w, err := convert(v, x.typ, t, 0)
	if err != nil {
		return nil, false
	}
	if classOf(x.typ.Kind) == classOf(t.Kind) {
		back, err := convert(w, t, x.typ, 0)
		if err != nil || compare(x.typ, back, v, col.coll) != 0 {
			return nil, false
		}
	}
	return appendKey(nil, t, w, col.coll), true
}

// A keyRange is from lo to before hi; an empty hi is open.
type keyRange struct{ lo, hi string }

// A path is a way to read a table.
type path struct {
	ix       *index
	ands     [][]atom // nil for a scan
	eq       int      // leading columns fixed by every disjunct
	ranged   int      // bounds on the next one, 0 to 2
	unique   bool     // at most one row for every disjunct
	backward bool
}

// choose finds the best path for a source when the sources in have are bound.
func choose(src *source, preds []dnf, have uint64, want []orderCol) *path {
	t := src.table
	known := make([]dnf, len(preds))
	for i, p := range preds {
		known[i] = restrict(p, have)
	}
	all := anything
	for _, p := range known {
		all = cross(all, p)
	}
	var best *path
	bestScore := -1
	for i, ix := range t.indexes {
		if ix.filtered || src.index != nil && ix != src.index {
			continue
		}
		p := consider(t, ix, all)
		score := 100*p.eq + 30*p.ranged
		if p.unique {
			score += 10000
		}
		if len(want) > 0 {
			if ok, back := p.ordered(t, want); ok {
				score += 20
				p.backward = back
			}
		}
		if i == 0 {
			score++
		}
		if score > bestScore {
			best, bestScore = p, score
		}
	}
	return best
}

// restrict drops atoms that need sources not yet read.
func restrict(d dnf, have uint64) dnf {
	out := make(dnf, len(d))
	for i, and := range d {
		for _, a := range and {
			if a.mask&^have == 0 {
				out[i] = append(out[i], a)
			}
		}
	}
	return out
}

func consider(t *table, ix *index, all dnf) *path {
	p := &path{ix: ix, eq: 1 << 20, ranged: 2}
	for _, and := range all {
		eq, ranged := 0, 0
	cols:
		for _, c := range t.order(ix) { // a secondary index ends with the clustered key
			lo, hi := 0, 0
			for _, a := range and {
				switch {
				case a.col != c.ord:
				case a.op == "=":
					eq++
					continue cols
				case a.op[0] == '>':
					lo = 1
				default:
					hi = 1
				}
			}
			ranged = lo + hi
			break
		}
		if eq < p.eq {
			p.eq, p.ranged = eq, ranged
		} else if eq == p.eq {
			p.ranged = min(p.ranged, ranged)
		}
	}
	if p.eq+p.ranged == 0 {
		p.eq = 0
		return p
	}
	p.ands = all
	p.unique = ix.unique && p.eq >= len(ix.cols)
	return p
}

// ordered tells whether the path gives rows in a wanted order.
func (p *path) ordered(t *table, want []orderCol) (ok, backward bool) {
	if p.unique && len(p.ands) == 1 {
		return true, false
	}
	have := t.order(p.ix)
	fixed := map[int]bool{}
	if len(p.ands) == 1 {
		for _, c := range have[:p.eq] {
			fixed[c.ord] = true
		}
	}
	started := false
	seen := map[int]bool{}
	i := 0
	for _, w := range want {
		if fixed[w.col] || seen[w.col] {
			continue
		}
		for i < len(have) && (fixed[have[i].ord] || seen[have[i].ord]) {
			i++
		}
		if i == len(have) {
			// Behind all columns of the clustered key nothing can differ,
			// if that key is unique.
			return t.indexes[0].unique, backward
		}
		if have[i].ord != w.col {
			return false, false
		}
		back := have[i].desc != w.desc
		if started && back != backward {
			return false, false
		}
		backward, started = back, true
		seen[w.col] = true
		i++
		if p.ix.unique && i >= len(p.ix.cols) {
			return true, backward
		}
	}
	return true, backward
}

// ranges evaluates the bounds.
func (p *path) ranges(t *table, f *frame) ([]keyRange, error) {
	if p.ands == nil {
		return []keyRange{{"", ""}}, nil
	}
	var out []keyRange
	for _, and := range p.ands {
		r, ok, err := p.andRange(t, and, f)
		if err != nil {
			return nil, err
		}
		if ok && (r.hi == "" || r.lo < r.hi) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b keyRange) int { return strings.Compare(a.lo, b.lo) })
	merged := out[:0]
	for _, r := range out {
		if n := len(merged); n > 0 && (merged[n-1].hi == "" || r.lo <= merged[n-1].hi) {
			if last := &merged[n-1]; last.hi != "" && (r.hi == "" || r.hi > last.hi) {
				last.hi = r.hi
			}
			continue
		}
		merged = append(merged, r)
	}
	return merged, nil
}

// andRange is the range of one AND; ok is false where nothing can satisfy it.
func (p *path) andRange(t *table, and []atom, f *frame) (r keyRange, ok bool, err error) {
	prefix := ""
	for _, ic := range t.order(p.ix) {
		col := t.cols[ic.ord]
		lo, hi := "", ""
		var equal string
		for _, a := range and {
			if a.col != ic.ord {
				continue
			}
			v, err := a.x.eval(f)
			if err != nil {
				return r, false, err
			}
			if v.null {
				return r, false, nil
			}
			key, exact := bound(col, a.x, v)
			if !exact {
				continue
			}
			op := a.op
			if ic.desc {
				invert(key)
				op = flipped[op]
			}
			k := string(key)
			switch op {
			case "=":
				equal = k
			case ">":
				lo = max(lo, after(prefix+k))
			case ">=":
				lo = max(lo, prefix+k)
			case "<":
				hi = least(hi, prefix+k)
			case "<=":
				hi = least(hi, after(prefix+k))
			}
		}
		if equal != "" {
			prefix += equal
			continue
		}
		// A comparison never holds for NULL, whose key is 0 (255 descending).
		if lo == "" {
			lo = prefix
			if hi != "" && !ic.desc {
				lo = prefix + "\x01"
			}
		}
		if hi == "" {
			hi = after(prefix)
		}
		return keyRange{lo, hi}, true, nil
	}
	return keyRange{prefix, after(prefix)}, true, nil
}

// least is the lower of two ends, of which an empty one is open.
func least(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}
