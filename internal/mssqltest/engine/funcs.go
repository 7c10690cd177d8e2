package engine

import (
	"crypto/md5"
	"crypto/sha256"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A function compiles a call of itself. Volatile ones are not fixed.
type function struct {
	min, max int
	compile  func(c *compiler, args []*expr) *expr
}

var (
	typInt     = tds.Type{Kind: tds.Int}
	typBigInt  = tds.Type{Kind: tds.BigInt}
	typName    = tds.Type{Kind: tds.NVarChar, Len: 128}
	typLong    = tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}
	typVariant = tds.Type{Kind: tds.Variant}
)

// functions is filled in init because calls compile through it.
var functions map[string]function

func init() {
	functions = map[string]function{
		"ISNULL":     {2, 2, isNull},
		"COALESCE":   {2, 100, coalesce},
		"NULLIF":     {2, 2, nullIf},
		"DATALENGTH": {1, 1, dataLength},
		"LEN":        {1, 1, length},
		"SUBSTRING":  {3, 3, substring},
		"LEFT":       {2, 2, left},
		"RIGHT":      {2, 2, right},
		"UPPER":      {1, 1, textFunc(strings.ToUpper)},
		"LOWER":      {1, 1, textFunc(strings.ToLower)},
		"LTRIM":      {1, 1, textFunc(func(s string) string { return strings.TrimLeft(s, " ") })},
		"RTRIM":      {1, 1, textFunc(func(s string) string { return strings.TrimRight(s, " ") })},
		"REPLICATE":  {2, 2, replicate},
		"CHAR":       {1, 1, char},
		"NCHAR":      {1, 1, nchar},
		"ABS":        {1, 1, abs},
		"HASHBYTES":  {2, 2, hashBytes},
		"CONCAT":     {2, 100, concatFunc},
		"QUOTENAME":  {1, 1, quoteName},

		"SQL_VARIANT_PROPERTY": {2, 2, variantProperty},
	}
	addSystemFunctions(functions)
}

func (c *compiler) call(e *tsql.Call) *expr {
	if aggregates[e.Name] {
		fail(errorf(147, "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference."))
	}
	if e.Over != nil {
		fail(notKnown("ROW_NUMBER but as a whole column of a select list"))
	}
	name := strings.TrimPrefix(e.Name, "SYS.")
	fn, ok := functions[name]
	if !ok || c.x.db.lacks(name) {
		if strings.Contains(name, ".") {
			fail(errorf(4121, "Cannot find either column \"%s\" or the user-defined function or aggregate \"%s\", or the name is ambiguous.", strings.SplitN(e.Name, ".", 2)[0], e.Name))
		}
		if nativeButUnknown[name] {
			fail(notKnown("the function %s", name))
		}
		fail(errorf(195, "'%s' is not a recognized built-in function name.", e.Name))
	}
	if len(e.Args) < fn.min || len(e.Args) > fn.max || e.Star || e.Distinct {
		fail(errorf(174, "The %s function requires %d argument(s).", strings.ToLower(name), fn.min))
	}
	out := fn.compile(c, c.exprs(e.Args))
	return out
}

// nativeButUnknown are functions of SQL Server that the stand-in lacks, which
// deserve another message than a typing error.
var nativeButUnknown = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`CHECKSUM BINARY_CHECKSUM CHECKSUM_AGG STRING_AGG STDEV VAR ROW_NUMBER RANK LAG LEAD DATEADD
		DATEDIFF DATEPART FORMAT JSON_VALUE STUFF REPLACE CHARINDEX PATINDEX ROUND FLOOR CEILING POWER SQRT RAND
		IIF CHOOSE GREATEST LEAST TRIM STRING_SPLIT PARSE TRY_PARSE APPROX_COUNT_DISTINCT`) {
		m[n] = true
	}
	return m
}()

// simple builds a function of its arguments; any NULL gives NULL.
func simple(t tds.Type, args []*expr, f func(v []value) (value, error)) *expr {
	out := &expr{typ: t, nullable: true, fixed: true}
	for _, a := range args {
		out.fixed = out.fixed && a.fixed
		if classOf(a.typ.Kind) == clStr {
			out.coll = max(out.coll, a.coll)
		}
	}
	out.eval = func(fr *frame) (value, error) {
		var buf [4]value
		vals := buf[:0]
		for _, a := range args {
			v, err := a.eval(fr)
			if err != nil || v.null {
				return nullValue, err
			}
			vals = append(vals, v)
		}
		return f(vals)
	}
	return out
}

func isNull(c *compiler, a []*expr) *expr {
	t := a[0].typ
	if a[0].null {
		t = a[1].typ
	}
	x, y := c.coerce(a[0], t), c.coerce(a[1], t)
	return firstOf(t, x, y)
}

func coalesce(c *compiler, a []*expr) *expr {
	t, list := c.unify(a...)
	return firstOf(t, list...)
}

func firstOf(t tds.Type, list ...*expr) *expr {
	out := &expr{typ: t, nullable: true, fixed: true}
	for _, x := range list {
		out.nullable = out.nullable && x.nullable
		out.fixed = out.fixed && x.fixed
		out.coll = max(out.coll, x.coll)
	}
	out.eval = func(f *frame) (value, error) {
		for _, x := range list {
			if v, err := x.eval(f); err != nil || !v.null {
				return v, err
			}
		}
		return nullValue, nil
	}
	return out
}

func nullIf(c *compiler, a []*expr) *expr {
	same := c.compare("=", a[0], a[1])
	out := *a[0]
	out.nullable, out.src = true, nil
	x := a[0].eval
	out.eval = func(f *frame) (value, error) {
		t, err := same(f)
		if err != nil || t == yes {
			return nullValue, err
		}
		return x(f)
	}
	return &out
}

func dataLength(c *compiler, a []*expr) *expr {
	t := typInt
	if a[0].typ.Len == tds.MaxLen {
		t = typBigInt
	}
	from := a[0].typ
	return simple(t, a, func(v []value) (value, error) { return intValue(sizeOf(from, v[0])), nil })
}

// sizeOf is the number of bytes that SQL Server says a value has.
func sizeOf(t tds.Type, v value) int64 {
	switch classOf(t.Kind) {
	case clStr:
		if isUnicode(t.Kind) {
			return int64(2 * utf16Len(v.s))
		}
		return int64(utf16Len(v.s))
	case clBin:
		return int64(len(v.s))
	case clVariant:
		x := v.x.(*variant)
		return sizeOf(x.typ, x.val)
	}
	return int64(storedLen(t))
}

func (c *compiler) text(x *expr) *expr {
	if classOf(x.typ.Kind) == clStr {
		return x
	}
	return c.coerce(x, tds.Type{Kind: tds.VarChar, Len: 8000})
}

func length(c *compiler, a []*expr) *expr {
	x := a[0]
	if classOf(x.typ.Kind) == clBin {
		return dataLength(c, a)
	}
	return simple(typInt, []*expr{c.text(x)}, func(v []value) (value, error) {
		return intValue(int64(utf16Len(strings.TrimRight(v[0].s, " ")))), nil
	})
}

func variableType(t tds.Type) tds.Type {
	switch t.Kind {
	case tds.Char, tds.NChar, tds.Binary:
		t.Kind = variableForm(t.Kind)
	case tds.Text:
		return tds.Type{Kind: tds.VarChar, Len: 8000}
	case tds.NText:
		return tds.Type{Kind: tds.NVarChar, Len: 4000}
	case tds.Image, tds.RowVersion:
		return tds.Type{Kind: tds.VarBinary, Len: 8000}
	}
	return t
}

func substring(c *compiler, a []*expr) *expr {
	x := a[0]
	if classOf(x.typ.Kind) != clBin {
		x = c.text(x)
	}
	t := variableType(x.typ)
	bin := classOf(x.typ.Kind) == clBin
	return simple(t, []*expr{x, c.coerce(a[1], typBigInt), c.coerce(a[2], typBigInt)}, func(v []value) (value, error) {
		start, n := v[1].i-1, v[2].i
		if n < 0 {
			return nullValue, errorf(537, "Invalid length parameter passed to the LEFT or SUBSTRING function.")
		}
		if start < 0 {
			n, start = max(n+start, 0), 0
		}
		return strValue(cutUnits(v[0].s, bin, start, n)), nil
	})
}

func cutUnits(s string, bin bool, start, n int64) string {
	if !bin {
		return cutString(s, int(min(start, int64(len(s)))), int(min(n, int64(len(s)))))
	}
	start = min(start, int64(len(s)))
	return s[start:min(start+n, int64(len(s)))]
}

func left(c *compiler, a []*expr) *expr {
	one := constant(typInt, intValue(1))
	return substring(c, []*expr{c.text(a[0]), one, a[1]})
}

func right(c *compiler, a []*expr) *expr {
	x := c.text(a[0])
	return simple(variableType(x.typ), []*expr{x, c.coerce(a[1], typBigInt)}, func(v []value) (value, error) {
		n := int64(utf16Len(v[0].s))
		return strValue(cutUnits(v[0].s, false, max(n-v[1].i, 0), min(v[1].i, n))), nil
	})
}

func textFunc(f func(string) string) func(*compiler, []*expr) *expr {
	return func(c *compiler, a []*expr) *expr {
		x := c.text(a[0])
		return simple(variableType(x.typ), []*expr{x}, func(v []value) (value, error) { return strValue(f(v[0].s)), nil })
	}
}

func replicate(c *compiler, a []*expr) *expr {
	x := c.text(a[0])
	t := variableType(x.typ)
	limit := 8000
	if isUnicode(t.Kind) {
		limit = 4000
	}
	if t.Len != tds.MaxLen {
		t.Len = limit
	}
	return simple(t, []*expr{x, c.coerce(a[1], typBigInt)}, func(v []value) (value, error) {
		if v[1].i < 0 {
			return nullValue, nil
		}
		if int64(len(v[0].s))*v[1].i > 1<<31 {
			return nullValue, errorf(7119, "Attempting to grow LOB beyond maximum allowed size of 2147483647 bytes.")
		}
		return strValue(fitString(strings.Repeat(v[0].s, int(v[1].i)), t)), nil
	})
}

func char(c *compiler, a []*expr) *expr {
	return simple(tds.Type{Kind: tds.Char, Len: 1}, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
		if v[0].i < 0 || v[0].i > 255 {
			return nullValue, nil
		}
		return toStr(strValue(string([]byte{byte(v[0].i)})), tds.Type{Kind: tds.VarBinary, Len: 1}, tds.Type{Kind: tds.Char, Len: 1}, 0)
	})
}

func nchar(c *compiler, a []*expr) *expr {
	return simple(tds.Type{Kind: tds.NChar, Len: 1}, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
		if v[0].i < 0 || v[0].i > 0xFFFF {
			return nullValue, nil
		}
		return strValue(string(appendWTF8(nil, rune(v[0].i)))), nil
	})
}

func abs(c *compiler, a []*expr) *expr {
	x := a[0]
	less := c.compare("<", x, constant(typInt, intValue(0)))
	neg := c.arith("-", c.coerce(constant(typInt, intValue(0)), x.typ), x)
	out := *x
	out.src, out.same = nil, nil
	out.eval = func(f *frame) (value, error) {
		if t, err := less(f); err != nil || t != yes {
			v, err2 := x.eval(f)
			if err == nil {
				err = err2
			}
			return v, err
		}
		return neg.eval(f)
	}
	return &out
}

func hashBytes(c *compiler, a []*expr) *expr {
	alg, x := c.text(a[0]), a[1]
	if classOf(x.typ.Kind) != clStr && classOf(x.typ.Kind) != clBin {
		fail(errorf(8116, "Argument data type %s is invalid for argument 2 of hashbytes function.", typeText(x.typ)))
	}
	raw := &expr{typ: tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}, fixed: x.fixed}
	from := x.typ
	raw.eval = func(f *frame) (value, error) {
		v, err := x.eval(f)
		if err != nil || v.null {
			return v, err
		}
		return convert(v, from, raw.typ, 0)
	}
	return simple(tds.Type{Kind: tds.VarBinary, Len: 8000}, []*expr{alg, raw}, func(v []value) (value, error) {
		switch strings.ToUpper(v[0].s) {
		case "SHA2_256":
			h := sha256.Sum256([]byte(v[1].s))
			return strValue(string(h[:])), nil
		case "MD5":
			h := md5.Sum([]byte(v[1].s))
			return strValue(string(h[:])), nil
		}
		return nullValue, nil // as SQL Server does for a name that it does not know
	})
}

func concatFunc(c *compiler, a []*expr) *expr {
	list := make([]*expr, len(a))
	t := tds.Type{Kind: tds.VarChar, Len: 8000}
	for i, x := range a {
		list[i] = c.text(x)
		if isUnicode(x.typ.Kind) {
			t = tds.Type{Kind: tds.NVarChar, Len: 4000}
		}
	}
	return &expr{typ: t, eval: func(f *frame) (value, error) {
		var b strings.Builder
		for _, x := range list {
			v, err := x.eval(f)
			if err != nil {
				return v, err
			}
			if !v.null {
				b.WriteString(v.s)
			}
		}
		return strValue(fitString(b.String(), t)), nil
	}}
}

func quoteName(c *compiler, a []*expr) *expr {
	return simple(tds.Type{Kind: tds.NVarChar, Len: 258}, []*expr{c.text(a[0])}, func(v []value) (value, error) {
		return strValue("[" + strings.ReplaceAll(v[0].s, "]", "]]") + "]"), nil
	})
}

func variantProperty(c *compiler, a []*expr) *expr {
	from := a[0].typ
	return simple(typVariant, []*expr{a[0], c.text(a[1])}, func(v []value) (value, error) {
		t := from
		val := v[0]
		if x, ok := v[0].x.(*variant); ok && from.Kind == tds.Variant {
			t, val = x.typ, x.val
		}
		number := func(n int) (value, error) {
			return value{x: &variant{typInt, intValue(int64(n))}}, nil
		}
		switch strings.ToLower(v[1].s) {
		case "basetype":
			name := infoOf(t).name
			if t.Kind == tds.Decimal {
				name = "decimal"
			}
			return value{x: &variant{typName, strValue(name)}}, nil
		case "precision":
			return number(precOf(t))
		case "scale":
			return number(int(max(uint8(scaleOf(t)), fraction(t))))
		case "maxlength":
			return number(storedLen(t))
		case "totalbytes":
			return number(int(sizeOf(t, val)) + 2)
		case "collation":
			if classOf(t.Kind) != clStr {
				return nullValue, nil
			}
			return value{x: &variant{typName, strValue(defaultCollation)}}, nil
		}
		return nullValue, nil
	})
}
