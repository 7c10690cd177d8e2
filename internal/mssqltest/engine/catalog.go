package engine

import (
	"fmt"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A catalogView is a view of the schema sys or INFORMATION_SCHEMA whose rows
// are made when asked for.
type catalogView struct {
	schema, name string
	cols         []srcCol
	lay          *layout
	rows         func(x *exec, add func(...any)) error
}

var views = map[string]*catalogView{}

// defineView makes a view of sys known, or one of a schema that is named.
// Columns are "name type" pairs separated by
// commas; a type with a question mark can be NULL.
func defineView(name, columns string, rows func(x *exec, add func(...any)) error) {
	v := &catalogView{schema: "sys", name: name, lay: &layout{}, rows: rows}
	if schema, rest, named := strings.Cut(name, "."); named {
		v.schema, v.name = schema, rest
	}
	for _, c := range strings.Split(columns, ",") {
		colName, typ, ok := strings.Cut(strings.TrimSpace(c), " ")
		typ, nullable := strings.CutSuffix(typ, "?")
		t, known := viewTypes[typ]
		if !ok || !known {
			panic("engine: bad column of " + name + ": " + c)
		}
		v.cols = append(v.cols, srcCol{name: colName, typ: t, nullable: nullable})
		v.lay.add(t)
	}
	views[strings.ToLower(v.schema+"."+v.name)] = v
}

var viewTypes = map[string]tds.Type{
	"bit": {Kind: tds.Bit}, "tinyint": {Kind: tds.TinyInt}, "smallint": {Kind: tds.SmallInt}, "int": {Kind: tds.Int},
	"bigint": {Kind: tds.BigInt}, "sysname": {Kind: tds.NVarChar, Len: 128}, "datetime": {Kind: tds.DateTime},
	"guid": {Kind: tds.UniqueIdentifier}, "variant": {Kind: tds.Variant}, "char2": {Kind: tds.Char, Len: 2},
	"nvarchar60": {Kind: tds.NVarChar, Len: 60}, "nvarcharmax": {Kind: tds.NVarChar, Len: tds.MaxLen},
	"varbinary85": {Kind: tds.VarBinary, Len: 85}, "numeric25": {Kind: tds.Decimal, Prec: 25},
}

// findView finds a catalog view.
func (x *exec) findView(n tsql.Name) *catalogView {
	if !strings.EqualFold(n.Schema, "sys") && !strings.EqualFold(n.Schema, "INFORMATION_SCHEMA") {
		return nil
	}
	if n.Database != "" && !strings.EqualFold(n.Database, x.db.name) {
		fail(notKnown("queries across databases (%s)", nameText(n)))
	}
	v := views[strings.ToLower(n.Schema+"."+n.Object)]
	if v == nil || x.db.lacks(n.Schema+"."+n.Object) {
		fail(errInvalidObject(nameText(n)))
	}
	return v
}

// viewRows makes the rows of a view, once for a statement.
func (x *exec) viewRows(v *catalogView) ([][]byte, error) {
	if x.db.lacks("rows", "of", v.schema+"."+v.name) {
		return nil, nil
	}
	name := v.schema + "." + v.name
	if rows, ok := x.catalog[name]; ok {
		return rows, nil
	}
	var rows [][]byte
	var bad error
	add := func(vals ...any) {
		row, err := encodeGo(v.lay, vals)
		if err != nil {
			bad = fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, row)
	}
	if err := v.rows(x, add); err != nil {
		return nil, err
	}
	if bad != nil {
		return nil, bad
	}
	if x.catalog == nil {
		x.catalog = map[string][][]byte{}
	}
	x.catalog[name] = rows
	return rows, nil
}

// encodeGo encodes a row of Go values.
func encodeGo(lay *layout, vals []any) ([]byte, error) {
	if len(vals) != len(lay.types) {
		return nil, fmt.Errorf("%d values for %d columns", len(vals), len(lay.types))
	}
	var row []byte
	for i, a := range vals {
		v, err := fromGo(lay.types[i], a)
		if err == nil {
			row, err = encode(row, lay.types[i], v)
		}
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return row, nil
}

// eachTable calls f under the latch for every table that the login sees.
func (x *exec) eachTable(f func(*table)) error {
	x.db.mu.RLock()
	defer x.db.mu.RUnlock()
	for _, t := range x.db.visible(x.s.login) {
		f(t)
	}
	return nil
}

// funcSource compiles a function in FROM.
func (c *compiler) funcSource(r *tsql.TableFunc) *source {
	if !strings.EqualFold(r.Name.Schema, "sys") || !strings.EqualFold(r.Name.Object, "fn_my_permissions") {
		fail(errInvalidObject(nameText(r.Name)))
	}
	if len(r.Args) != 2 {
		fail(errorf(313, "An insufficient number of arguments were supplied for the procedure or function sys.fn_my_permissions."))
	}
	in := &compiler{x: c.x, scope: &scope{outer: c.scope.outer}}
	object, class := in.coerce(in.expr(r.Args[0]), typLong), in.coerce(in.expr(r.Args[1]), typName)
	lay := &layout{}
	src := &source{name: "fn_my_permissions"}
	for _, col := range []string{"entity_name", "subentity_name", "permission_name"} {
		src.cols = append(src.cols, srcCol{name: col, typ: typName, nullable: true})
		lay.add(typName)
	}
	src.rows = func(outer *frame, emit func([]byte) error) error {
		f := &frame{outer: outer}
		o, err := object.eval(f)
		if err != nil {
			return err
		}
		k, err := class.eval(f)
		if err != nil {
			return err
		}
		entity, perms := c.x.permissions(o, strings.ToUpper(k.s))
		for _, p := range perms {
			row, err := encodeGo(lay, []any{entity, "", p})
			if err == nil {
				err = emit(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return src
}

func (x *exec) permissions(object value, class string) (entity string, perms []string) {
	l := x.s.login
	switch class {
	case "DATABASE", "SERVER":
		entity = strings.ToLower(class)
		perms = []string{map[string]string{"DATABASE": "CONNECT", "SERVER": "CONNECT SQL"}[class]}
		if l.viewState() {
			perms = append(perms, "VIEW "+class+" STATE")
		}
		if l.viewDefinition() {
			perms = append(perms, map[string]string{"DATABASE": "VIEW DEFINITION", "SERVER": "VIEW ANY DEFINITION"}[class])
		}
		if l.Admin || l.SelectAll {
			perms = append(perms, "SELECT")
		}
		if l.Admin {
			perms = append(perms, "INSERT", "UPDATE", "DELETE", "CONTROL")
		}
	case "OBJECT":
		n, ok := nameOf(object.s)
		if !ok {
			return "", nil
		}
		t, err := x.db.findTable(n)
		if err != nil || t == nil {
			return "", nil
		}
		entity = object.s
		x.db.mu.RLock()
		defer x.db.mu.RUnlock()
		for _, p := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			if l.may(p, t) {
				perms = append(perms, p)
			}
		}
	}
	return entity, perms
}
