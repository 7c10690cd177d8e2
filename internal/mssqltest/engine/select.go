package engine

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
)

// An output is one column of a select list. A plain column is copied in its
// stored form.
type output struct {
	x      *expr
	null   []byte
	buf    []byte
	number bool // ROW_NUMBER: filled in when the row has its place
}

func (o *output) bytes(f *frame) ([]byte, error) {
	x := o.x
	if x.same != nil {
		x = x.same
	}
	if src := x.src; src != nil {
		if r := &f.rows[src.pos]; !r.absent {
			return r.bytes(x.col), nil
		}
		return o.null, nil
	}
	v, err := o.x.eval(f)
	if err != nil {
		return nil, err
	}
	o.buf, err = encode(o.buf[:0], o.x.typ, v)
	return o.buf, err
}

// A selecting is a SELECT on its way to a plan.
type selecting struct {
	*compiler
	sel     *tsql.Select
	q       *tsql.Query
	cols    []outCol
	outputs []*output
	keys    []sortKey
	having  condFn
	join    *join
	sorted  bool // rows come in the wanted order
}

// selectPlan compiles one SELECT; q gives its ORDER BY, OFFSET and FETCH.
func (x *exec) selectPlan(s *tsql.Select, q *tsql.Query, outer *scope) *plan {
	c := &selecting{compiler: &compiler{x: x, scope: &scope{outer: outer}}, sel: s, q: q}
	c.keep = slices.Contains(q.Options, "FORCE ORDER")
	for _, o := range q.Options {
		c.x.refuse("query hint "+o, "OPTION")
		c.x.refuse("query hint "+o, "OPTION", o)
	}
	limit := c.limits(s.Top, q)
	conds := c.from(s.From)
	if s.Where != nil {
		conds = append(conds, s.Where)
	}
	var g *grouping
	if isGrouped(s, q) {
		g = c.startGrouping(s.GroupBy)
		c.scope.group = g
	}
	c.selectList()
	if s.Having != nil {
		c.having = c.cond(s.Having)
	}
	c.orderBy()
	c.scope.group = nil
	first := c.plan(conds, g)
	p := &plan{cols: c.cols, escaped: c.scope.escaped}
	views := func(outer *frame) *frame {
		f := &frame{outer: outer, rows: make([]rowView, len(c.scope.sources))}
		for i, src := range c.scope.sources {
			f.rows[i] = newRowView(src.lay)
		}
		return f
	}
	row := make([][]byte, len(c.outputs))
	p.run = func(outer *frame, emit func([][]byte) error) error {
		f := views(outer)
		lim, err := limit(&frame{outer: outer})
		if err != nil {
			return err
		}
		send := c.numbered(lim.wrap(emit))
		var sort *sorter
		if !c.sorted {
			sort = &sorter{keys: c.keys, keep: lim.keep()}
			if s.Distinct {
				sort.keep = 0
			}
		}
		seen := map[string]bool{}
		give := func(f *frame) error {
			var err error
			for i, o := range c.outputs {
				if row[i], err = o.bytes(f); err != nil {
					return err
				}
			}
			if s.Distinct {
				if k := c.distinctKey(row); seen[k] {
					return nil
				} else {
					seen[k] = true
				}
			}
			if sort != nil {
				return sort.add(f, row)
			}
			return send(row)
		}
		if g != nil {
			err = c.runGroups(g, f, first, give)
		} else {
			err = c.join.run(f, func() error { return give(f) })
		}
		if err == nil && sort != nil {
			err = sort.emit(send)
		}
		if errors.Is(err, lim.stop) {
			return nil
		}
		return err
	}
	return p
}

// numbered fills in ROW_NUMBER, whose order is that of the rows.
func (c *selecting) numbered(send func([][]byte) error) func([][]byte) error {
	at := slices.IndexFunc(c.outputs, func(o *output) bool { return o.number })
	if at < 0 {
		return send
	}
	n := int64(0)
	return func(row [][]byte) (err error) {
		n++
		o := c.outputs[at]
		if o.buf, err = encode(o.buf[:0], o.x.typ, intValue(n)); err != nil {
			return err
		}
		row[at] = o.buf
		return send(row)
	}
}

// rowNumber takes ROW_NUMBER() where its order is the query's own.
func (c *selecting) rowNumber(e *tsql.Call, name string) {
	switch {
	case len(e.Args) > 0 || e.Star || e.Over == nil:
		fail(errorf(10753, "The function 'ROW_NUMBER' must have an OVER clause with ORDER BY."))
	case c.scope.group != nil || c.sel.Distinct || !reflect.DeepEqual(e.Over, c.q.OrderBy):
		fail(notKnown("ROW_NUMBER in another order than the query's"))
	}
	c.output(name, constant(typBigInt, intValue(0)))
	c.outputs[len(c.outputs)-1].number = true
}

func (c *selecting) distinctKey(row [][]byte) string {
	var key []byte
	for i, b := range row {
		v, err := decode(c.cols[i].typ, b)
		if err != nil {
			return string(b)
		}
		key = appendKey(key, c.cols[i].typ, v, c.cols[i].coll)
	}
	return string(key)
}

func (c *selecting) selectList() {
	for _, it := range c.sel.Items {
		if it.Star {
			c.star(it.Parts)
			continue
		}
		if e, ok := it.Expr.(*tsql.Call); ok && e.Name == "ROW_NUMBER" {
			c.rowNumber(e, it.Alias)
			continue
		}
		x := c.expr(it.Expr)
		name := it.Alias
		if ref, ok := it.Expr.(*tsql.ColumnRef); ok && name == "" {
			name = ref.Parts[len(ref.Parts)-1]
			if x.src != nil {
				name = x.src.cols[x.col].name
			}
		}
		c.output(name, x)
	}
}

func (c *selecting) output(name string, x *expr) {
	null, err := encode(nil, x.typ, nullValue)
	if err != nil {
		fail(err)
	}
	c.cols = append(c.cols, outCol{name, x.typ, x.nullable, x.coll})
	c.outputs = append(c.outputs, &output{x: x, null: null})
}

func (c *selecting) star(parts []string) {
	found := false
	for _, src := range c.scope.sources {
		if parts != nil && !src.named(parts) {
			continue
		}
		found = true
		for i, col := range src.cols {
			var x *expr
			if c.scope.group != nil {
				x = c.expr(&tsql.ColumnRef{Parts: []string{src.name, col.name}})
			} else {
				x = columnExpr(src, i, 0)
			}
			c.output(col.name, x)
			c.scope.touched |= 1 << src.pos
		}
	}
	switch {
	case found:
	case parts != nil:
		fail(errorf(107, "The column prefix '%s' does not match with a table name or alias name used in the query.", strings.Join(parts, ".")))
	default:
		fail(errorf(263, "Must specify table to select from."))
	}
}

func (c *selecting) orderBy() {
	for _, o := range c.q.OrderBy {
		at := outputOf(o.Expr, c.cols)
		if at >= 0 {
			x := c.outputs[at].x
			c.keys = append(c.keys, sortKey{x: x, typ: x.typ, coll: x.coll, desc: o.Desc, out: at})
			continue
		}
		if at == -2 {
			fail(errorf(209, "Ambiguous column name '%s'.", o.Expr.(*tsql.ColumnRef).Parts[0]))
		}
		if _, isLit := o.Expr.(*tsql.Literal); isLit {
			fail(errorf(408, "A constant expression was encountered in the ORDER BY list, position %d.", len(c.keys)+1))
		}
		x := c.expr(o.Expr)
		if c.sel.Distinct && !c.inSelectList(x) {
			fail(errorf(145, "ORDER BY items must appear in the select list if SELECT DISTINCT is specified."))
		}
		c.keys = append(c.keys, sortKey{x: x, typ: x.typ, coll: x.coll, desc: o.Desc})
	}
	for _, k := range c.keys {
		switch k.typ.Kind.String() {
		case "text", "ntext", "image", "xml":
			fail(errorf(305, "The %s data type cannot be compared or sorted, except when using IS NULL or LIKE operator.", typeText(k.typ)))
		}
	}
}

// inSelectList tells whether a column is in the select list.
func (c *selecting) inSelectList(x *expr) bool {
	for _, o := range c.outputs {
		if x.src != nil && o.x.src == x.src && o.x.col == x.col {
			return true
		}
	}
	return false
}

// plan arranges the join, in the order of ORDER BY if an index has it. For a
// lone MIN or MAX that an index can answer, it returns that aggregate.
func (c *selecting) plan(conds []tsql.Cond, g *grouping) *aggregate {
	var want []orderCol
	var src *source
	if g == nil {
		want, src = plainOrder(c.keys)
		c.join, c.sorted = c.compiler.join(conds, src, want)
		if len(c.keys) > 0 && want == nil || c.sel.Distinct && len(c.keys) > 0 {
			c.sorted = false
		}
		return nil
	}
	c.sorted = len(c.keys) == 0
	var agg *aggregate
	if len(g.keys) == 0 && len(g.aggs) == 1 && len(c.scope.sources) == 1 {
		if a := g.aggs[0]; a.arg != nil && a.arg.src != nil && a.arg.src.table != nil && (a.name == "MIN" || a.name == "MAX") {
			agg, src, want = a, a.arg.src, []orderCol{{a.arg.col, a.name == "MAX"}}
		}
	}
	var sorted bool
	c.join, sorted = c.compiler.join(conds, src, want)
	if !sorted {
		return nil
	}
	return agg
}

func plainOrder(keys []sortKey) (want []orderCol, src *source) {
	for _, k := range keys {
		if k.x == nil || k.x.src == nil || src != nil && k.x.src != src || k.x.coll != k.x.src.cols[k.x.col].coll {
			return nil, nil
		}
		src = k.x.src
		want = append(want, orderCol{k.x.col, k.desc})
	}
	if src != nil && (src.table == nil || src.left) {
		return nil, nil
	}
	return want, src
}
