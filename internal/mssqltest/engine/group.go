package engine

import (
	"errors"
	"math/big"
	"reflect"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

var aggregates = map[string]bool{"COUNT": true, "COUNT_BIG": true, "MIN": true, "MAX": true, "SUM": true, "AVG": true}

// isGrouped tells whether a SELECT aggregates.
func isGrouped(s *tsql.Select, q *tsql.Query) bool {
	if len(s.GroupBy) > 0 || s.Having != nil {
		return true
	}
	for _, it := range s.Items {
		if hasAggregate(reflect.ValueOf(it.Expr)) {
			return true
		}
	}
	for _, o := range q.OrderBy {
		if hasAggregate(reflect.ValueOf(o.Expr)) {
			return true
		}
	}
	return false
}

// hasAggregate walks syntax, but not into subqueries.
func hasAggregate(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return false
		}
		if call, ok := v.Interface().(*tsql.Call); ok && aggregates[call.Name] {
			return true
		}
		if _, ok := v.Interface().(*tsql.Query); ok {
			return false
		}
		return hasAggregate(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasAggregate(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if hasAggregate(v.Index(i)) {
				return true
			}
		}
	}
	return false
}

// A grouping collects the keys and aggregates of a grouped SELECT. In its
// frames, aggs holds the keys' values and then the aggregates'.
type grouping struct {
	keys    []*expr
	keyASTs []tsql.Expr
	aggs    []*aggregate
	asts    []*tsql.Call
}

type aggregate struct {
	name     string
	arg      *expr // nil for COUNT(*)
	distinct bool
	typ      tds.Type
}

func (c *compiler) startGrouping(by []tsql.Expr) *grouping {
	g := &grouping{keyASTs: by}
	for _, e := range by {
		x := c.expr(e)
		if x.fixed {
			fail(errorf(164, "Each GROUP BY expression must contain at least one column that is not an outer reference."))
		}
		g.keys = append(g.keys, x)
	}
	return g
}

func slot(i int, t tds.Type, coll collation) *expr {
	return &expr{typ: t, coll: coll, nullable: true, eval: func(f *frame) (value, error) { return f.aggs[i], nil }}
}

// grouped gives the slot of an expression that is a key or an aggregate.
func (c *compiler) grouped(e tsql.Expr) *expr {
	g := c.scope.group
	for i, k := range g.keyASTs {
		same := reflect.DeepEqual(e, k)
		if ref, ok := e.(*tsql.ColumnRef); ok && !same && g.keys[i].src != nil {
			src, col, depth := c.scope.lookup(ref.Parts)
			same = depth == 0 && src == g.keys[i].src && col == g.keys[i].col
		}
		if same {
			x := slot(i, g.keys[i].typ, g.keys[i].coll)
			x.nullable = g.keys[i].nullable
			return x
		}
	}
	call, ok := e.(*tsql.Call)
	if !ok || !aggregates[call.Name] {
		return nil
	}
	for i, a := range g.asts {
		if reflect.DeepEqual(a, call) {
			return slot(len(g.keys)+i, g.aggs[i].typ, 0)
		}
	}
	c.scope.group = nil
	a := c.aggregate(call)
	c.scope.group = g
	g.aggs, g.asts = append(g.aggs, a), append(g.asts, call)
	x := slot(len(g.keys)+len(g.aggs)-1, a.typ, 0)
	if a.arg != nil {
		x.coll = a.arg.coll
	}
	x.nullable = !strings.HasPrefix(a.name, "COUNT")
	return x
}

func (c *compiler) aggregate(call *tsql.Call) *aggregate {
	a := &aggregate{name: call.Name, distinct: call.Distinct, typ: tds.Type{Kind: tds.Int}}
	if call.Name == "COUNT_BIG" {
		a.typ.Kind = tds.BigInt
	}
	if call.Star {
		if !strings.HasPrefix(call.Name, "COUNT") {
			fail(errorf(102, "Incorrect syntax near '*'."))
		}
		return a
	}
	if len(call.Args) != 1 {
		fail(errorf(174, "The %s function requires 1 argument(s).", strings.ToLower(call.Name)))
	}
	a.arg = c.expr(call.Args[0])
	t := a.arg.typ
	invalid := false
	switch a.name {
	case "MIN", "MAX":
		a.typ = t
		switch t.Kind {
		case tds.Bit, tds.UniqueIdentifier, tds.Text, tds.NText, tds.Image, tds.XML, tds.UDT:
			invalid = true
		}
	case "SUM", "AVG":
		switch classOf(t.Kind) {
		case clInt:
			invalid = t.Kind == tds.Bit
			a.typ = tds.Type{Kind: max(t.Kind, tds.Int)}
		case clDec:
			a.typ = t
			if t.Kind == tds.Decimal {
				a.typ.Prec = 38
				if a.name == "AVG" {
					a.typ.Scale = max(t.Scale, 6)
				}
			} else {
				a.typ.Kind = tds.Money
			}
		case clFloat:
			a.typ = tds.Type{Kind: tds.Float}
		default:
			invalid = true
		}
	}
	if invalid {
		fail(errorf(8117, "Operand data type %s is invalid for %s operator.", typeText(t), strings.ToLower(a.name)))
	}
	return a
}

// An accumulator is the state of one aggregate in one group.
type accumulator struct {
	n    int64
	sum  *big.Int
	fsum float64
	best value
	seen map[string]bool
}

func (a *aggregate) add(acc *accumulator, f *frame) error {
	if a.arg == nil {
		acc.n++
		return nil
	}
	v, err := a.arg.eval(f)
	if err != nil || v.null {
		return err
	}
	t := a.arg.typ
	if a.distinct {
		if acc.seen == nil {
			acc.seen = map[string]bool{}
		}
		k := string(appendKey(nil, t, v, a.arg.coll))
		if acc.seen[k] {
			return nil
		}
		acc.seen[k] = true
	}
	acc.n++
	switch a.name {
	case "MIN", "MAX":
		if acc.n == 1 || compare(t, v, acc.best, a.arg.coll) < 0 == (a.name == "MIN") {
			acc.best = v
		}
	case "SUM", "AVG":
		if classOf(t.Kind) == clFloat {
			acc.fsum += v.f
			break
		}
		if acc.sum == nil {
			acc.sum = new(big.Int)
		}
		acc.sum.Add(acc.sum, v.dec())
	}
	return nil
}

func (a *aggregate) result(acc *accumulator) (value, error) {
	switch a.name {
	case "COUNT", "COUNT_BIG":
		if !fitsInt(acc.n, a.typ.Kind) {
			return nullValue, errOverflow(a.typ, a.typ)
		}
		return intValue(acc.n), nil
	}
	if acc.n == 0 {
		return nullValue, nil
	}
	switch {
	case a.name == "MIN" || a.name == "MAX":
		return acc.best, nil
	case classOf(a.typ.Kind) == clFloat:
		if a.name == "AVG" {
			return floatValue(acc.fsum / float64(acc.n)), nil
		}
		return floatValue(acc.fsum), nil
	}
	v := rescale(decValue(acc.sum), scaleOf(a.arg.typ), scaleOf(a.typ))
	if a.name == "AVG" {
		v = decValue(new(big.Int).Quo(v.dec(), big.NewInt(acc.n)))
	}
	if classOf(a.typ.Kind) == clInt && (v.x != nil || !fitsInt(v.i, a.typ.Kind)) || classOf(a.typ.Kind) == clDec && !fitsDec(v, a.typ) {
		return v, errOverflow(a.typ, a.typ)
	}
	return v, nil
}

type group struct {
	keys []value
	accs []accumulator
}

// runGroups reads all rows, then gives one frame for each group. First is the
// aggregate that the first row with a value decides, nil for none.
func (c *selecting) runGroups(g *grouping, f *frame, first *aggregate, give func(*frame) error) error {
	index := map[string]*group{}
	var order []*group
	var key []byte
	find := func() (*group, error) {
		key = key[:0]
		vals := make([]value, len(g.keys))
		for i, k := range g.keys {
			var err error
			if vals[i], err = k.eval(f); err != nil {
				return nil, err
			}
			key = appendKey(key, k.typ, vals[i], k.coll)
		}
		gr := index[string(key)]
		if gr == nil {
			gr = &group{vals, make([]accumulator, len(g.aggs))}
			index[string(key)] = gr
			order = append(order, gr)
		}
		return gr, nil
	}
	var all *group
	if len(g.keys) == 0 {
		all, _ = find()
	}
	err := c.join.run(f, func() error {
		gr := all
		if gr == nil {
			var err error
			if gr, err = find(); err != nil {
				return err
			}
		}
		for i, a := range g.aggs {
			if err := a.add(&gr.accs[i], f); err != nil {
				return err
			}
		}
		if first != nil && gr.accs[0].n > 0 {
			return errStop
		}
		return nil
	})
	if err != nil && !(errors.Is(err, errStop) && first != nil) {
		return err
	}
	for _, gr := range order {
		gf := &frame{outer: f.outer, aggs: gr.keys}
		for i, a := range g.aggs {
			v, err := a.result(&gr.accs[i])
			if err != nil {
				return err
			}
			gf.aggs = append(gf.aggs, v)
		}
		if c.having != nil {
			if t, err := c.having(gf); err != nil {
				return err
			} else if t != yes {
				continue
			}
		}
		if err := give(gf); err != nil {
			return err
		}
	}
	return nil
}
