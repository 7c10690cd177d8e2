package engine

import (
	"math/bits"

	"tidemark/internal/mssqltest/engine/tsql"
)

// A pred is one condition of a WHERE or inner join.
type pred struct {
	fn   condFn
	mask uint64 // sources that it reads
	dnfs map[*source]dnf
}

// A level is one source in the nesting of loops that joins them.
type level struct {
	src   *source
	path  *path // of a table
	conds []condFn
	on    []condFn // of a left outer join
	probe *probe   // of anything else that is looked up by equality

	loaded bool
	rows   [][]byte
}

// A probe finds rows of a source in memory by equal values.
type probe struct {
	atoms []atom
	index map[string][][]byte
}

// A join is the loops over the sources of one SELECT.
type join struct {
	x      *exec
	levels []*level
}

// conjuncts splits a condition at its ANDs.
func conjuncts(e tsql.Cond, out []tsql.Cond) []tsql.Cond {
	if and, ok := e.(*tsql.And); ok {
		for _, p := range and.Parts {
			out = conjuncts(p, out)
		}
		return out
	}
	if e != nil {
		out = append(out, e)
	}
	return out
}

func (c *compiler) pred(e tsql.Cond) *pred {
	saved := c.scope.touched
	c.scope.touched = 0
	p := &pred{fn: c.cond(e), dnfs: map[*source]dnf{}}
	p.mask = c.scope.touched
	for _, src := range c.scope.sources {
		if p.mask&(1<<src.pos) != 0 {
			p.dnfs[src] = c.atoms(e, src)
		}
	}
	c.scope.touched = saved | p.mask
	return p
}

// join plans the loops for conditions that all must hold. Want is the order
// that the rows should come in, if all its columns are of one source.
func (c *compiler) join(conds []tsql.Cond, wantSrc *source, want []orderCol) (*join, bool) {
	j := &join{x: c.x}
	var preds []*pred
	for _, e := range conds {
		for _, part := range conjuncts(e, nil) {
			preds = append(preds, c.pred(part))
		}
	}
	free := 0 // sources before the first outer join may change places
	for _, s := range c.scope.sources {
		if s.left || c.keep {
			break
		}
		free++
	}
	rest := append([]*source{}, c.scope.sources...)
	var have uint64
	used := make([]bool, len(preds))
	sorted := len(want) == 0
	for len(rest) > 0 {
		pick := 0
		if free > 0 {
			pick = cheapest(rest[:free], preds, have, wantSrc)
			free--
		}
		src := rest[pick]
		rest = append(rest[:pick], rest[pick+1:]...)
		l := &level{src: src}
		mine := preds
		if src.left {
			mine = nil
			for _, part := range conjuncts(src.on, nil) {
				p := c.pred(part)
				mine = append(mine, p)
				l.on = append(l.on, p.fn)
			}
		}
		var wanted []orderCol
		if len(j.levels) == 0 && src == wantSrc {
			wanted = want
		}
		l.access(mine, have, wanted)
		if len(wanted) > 0 && l.path != nil {
			sorted, l.path.backward = l.path.ordered(src.table, wanted)
		}
		have |= 1 << src.pos
		for i, p := range preds {
			if !used[i] && p.mask&^have == 0 {
				used[i] = true
				l.conds = append(l.conds, p.fn)
			}
		}
		j.levels = append(j.levels, l)
	}
	if len(j.levels) == 0 && len(preds) > 0 { // no FROM
		l := &level{src: &source{pos: -1, rows: func(_ *frame, emit func([]byte) error) error { return emit(nil) }}}
		for _, p := range preds {
			l.conds = append(l.conds, p.fn)
		}
		j.levels = append(j.levels, l)
	}
	return j, sorted
}

// cheapest picks the source to read next: rows found by a whole unique key,
// rows in memory, and tables last, by how much of a key is known.
func cheapest(list []*source, preds []*pred, have uint64, wanted *source) int {
	best, bestRank := 0, -1
	for i, src := range list {
		rank := 50
		switch {
		case src.table == nil && len(equalities(src, preds, have)) > 0:
			rank = 60
		case src.table != nil:
			p := choose(src, dnfsOf(src, preds), have, nil)
			rank = min(10*p.eq, 30) + p.ranged
			if p.unique {
				rank = 70 - min(bits.Len(uint(len(p.ands))), 9)
			}
			if src == wanted && have == 0 && rank < 50 {
				rank++
			}
		}
		if rank > bestRank {
			best, bestRank = i, rank
		}
	}
	return best
}

func dnfsOf(src *source, preds []*pred) []dnf {
	var out []dnf
	for _, p := range preds {
		if d, ok := p.dnfs[src]; ok {
			out = append(out, d)
		}
	}
	return out
}

// equalities are the atoms that fix columns of a source outright.
func equalities(src *source, preds []*pred, have uint64) []atom {
	var out []atom
	for _, d := range dnfsOf(src, preds) {
		if len(d) == 1 && len(d[0]) == 1 && d[0][0].op == "=" && d[0][0].mask&^have == 0 {
			out = append(out, d[0][0])
		}
	}
	return out
}

func (l *level) access(preds []*pred, have uint64, want []orderCol) {
	src := l.src
	if src.table == nil {
		if eq := equalities(src, preds, have); len(eq) > 0 && !src.changes {
			l.probe = &probe{atoms: eq}
		}
		return
	}
	l.path = choose(src, dnfsOf(src, preds), have, want)
	if src.seek && l.path.ands == nil {
		fail(errorf(8622, "Query processor could not produce a query plan because of the hints defined in this query. Resubmit the query without specifying any hints and without using SET FORCEPLAN."))
	}
}

// run gives every combination of rows that satisfies the conditions, in f.
func (j *join) run(f *frame, emit func() error) error { return j.loop(f, 0, emit) }

func (j *join) loop(f *frame, i int, emit func() error) error {
	if i == len(j.levels) {
		return emit()
	}
	l := j.levels[i]
	matched := false
	next := func() error {
		for _, fn := range l.conds {
			if t, err := fn(f); err != nil || t != yes {
				return err
			}
		}
		if l.src.table != nil {
			l.src.table.counters.returned.Add(1)
		}
		return j.loop(f, i+1, emit)
	}
	step := func(data []byte) error {
		if l.src.pos >= 0 {
			f.rows[l.src.pos].set(data)
		}
		for _, fn := range l.on {
			if t, err := fn(f); err != nil || t != yes {
				return err
			}
		}
		matched = true
		return next()
	}
	if err := j.read(l, f, i, step); err != nil {
		return err
	}
	if l.src.left && !matched {
		f.rows[l.src.pos].absent = true
		return next()
	}
	return nil
}

func (j *join) read(l *level, f *frame, i int, step func([]byte) error) error {
	switch {
	case l.path != nil:
		return j.x.scan(l.src, l.path, f, func(r found) error { return step(r.data) })
	case l.probe != nil:
		rows, err := l.lookup(f)
		if err != nil {
			return err
		}
		return each(rows, step)
	case i == 0 || l.src.changes:
		return l.src.rows(f.outer, step)
	}
	if err := l.load(f); err != nil {
		return err
	}
	return each(l.rows, step)
}

func each(rows [][]byte, step func([]byte) error) error {
	for _, r := range rows {
		if err := step(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *level) load(f *frame) error {
	if l.loaded {
		return nil
	}
	l.loaded = true
	return l.src.rows(f.outer, func(row []byte) error {
		l.rows = append(l.rows, append([]byte{}, row...))
		return nil
	})
}

// lookup finds the rows of a source in memory that equal the bound values.
func (l *level) lookup(f *frame) ([][]byte, error) {
	if err := l.load(f); err != nil {
		return nil, err
	}
	p := l.probe
	cols := l.src.cols
	if p.index == nil {
		p.index = map[string][][]byte{}
		v := newRowView(l.src.lay)
	rows:
		for _, row := range l.rows {
			v.set(row)
			var key []byte
			for _, a := range p.atoms {
				val, err := v.value(a.col)
				if err != nil {
					return nil, err
				}
				if val.null {
					continue rows
				}
				key = appendKey(key, cols[a.col].typ, val, cols[a.col].coll)
			}
			p.index[string(key)] = append(p.index[string(key)], row)
		}
	}
	var key []byte
	for _, a := range p.atoms {
		v, err := a.x.eval(f)
		if err != nil || v.null {
			return nil, err
		}
		sc := cols[a.col]
		k, exact := bound(&column{typ: sc.typ, coll: sc.coll}, a.x, v)
		if !exact {
			return nil, nil // the column's type has no such value
		}
		key = append(key, k...)
	}
	return p.index[string(key)], nil
}
