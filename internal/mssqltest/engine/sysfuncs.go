package engine

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// Version is @@VERSION: a 2019 build number, so that clients take the paths
// that they take for a current server, and an honest name.
const Version = "Microsoft SQL Server 2019 (stand-in for tests) - 15.0.4430.1 (X64) on memory"

// productVersion is what SERVERPROPERTY('ProductVersion') answers.
const productVersion = "15.0.4430.1"

func (c *compiler) global(name string) *expr {
	s := c.x.s
	now := func(t tds.Type, f func() value) *expr {
		return &expr{typ: t, fixed: true, eval: func(*frame) (value, error) { return f(), nil }}
	}
	binary8 := tds.Type{Kind: tds.VarBinary, Len: 8}
	c.x.refuse(name, name)
	switch name {
	case "@@DBTS":
		return now(binary8, func() value {
			s.db.mu.RLock()
			defer s.db.mu.RUnlock()
			return rowVersionValue(s.db.rowVersion)
		})
	case "@@VERSION":
		return constant(tds.Type{Kind: tds.NVarChar, Len: 300}, strValue(s.engine.version()))
	case "@@SERVERNAME":
		return constant(typName, strValue(s.engine.serverName()))
	case "@@SPID":
		return constant(tds.Type{Kind: tds.SmallInt}, intValue(int64(s.id)))
	case "@@TRANCOUNT":
		return now(typInt, func() value { return intValue(int64(s.tranCount)) })
	case "@@ROWCOUNT":
		return now(typInt, func() value { return intValue(s.rowCount) })
	case "@@ERROR":
		return constant(typInt, intValue(0)) // an error ends the batch here
	case "@@LOCK_TIMEOUT":
		return now(typInt, func() value {
			if s.set.lockTimeout < 0 {
				return intValue(-1)
			}
			return intValue(s.set.lockTimeout.Milliseconds())
		})
	case "@@IDENTITY":
		return now(tds.Type{Kind: tds.Decimal, Prec: 38}, func() value { return s.identity })
	case "@@TEXTSIZE":
		return now(typInt, func() value { return intValue(int64(s.set.textSize)) })
	case "@@MICROSOFTVERSION":
		return constant(typInt, intValue(0x0F00114E))
	}
	fail(errorf(137, "Must declare the scalar variable \"%s\".", name))
	return nil
}

func rowVersionValue(n uint64) value {
	return strValue(string(binary.BigEndian.AppendUint64(nil, n)))
}

func addSystemFunctions(m map[string]function) {
	clock := func(t tds.Type, local bool) function {
		return function{0, 0, func(c *compiler, _ []*expr) *expr {
			at := c.x.now
			if !local {
				at = at.UTC()
			}
			n, _ := roundTime(wallTicks(at), t)
			return constant(t, value{i: n})
		}}
	}
	dt2, dt := tds.Type{Kind: tds.DateTime2, Scale: 7}, tds.Type{Kind: tds.DateTime}
	m["SYSDATETIME"] = clock(dt2, true)
	m["SYSUTCDATETIME"] = clock(dt2, false)
	m["GETDATE"] = clock(dt, true)
	m["GETUTCDATE"] = clock(dt, false)
	m["NEWID"] = function{0, 0, func(*compiler, []*expr) *expr {
		return &expr{typ: tds.Type{Kind: tds.UniqueIdentifier}, eval: func(*frame) (value, error) {
			return strValue(newGUID()), nil
		}}
	}}
	m["MIN_ACTIVE_ROWVERSION"] = function{0, 0, func(c *compiler, _ []*expr) *expr {
		db := c.x.s.db
		return &expr{typ: tds.Type{Kind: tds.Binary, Len: 8}, fixed: true, eval: func(*frame) (value, error) {
			db.mu.RLock()
			defer db.mu.RUnlock()
			return rowVersionValue(db.minActive()), nil
		}}
	}}
	m["SCOPE_IDENTITY"] = function{0, 0, func(c *compiler, _ []*expr) *expr { return c.global("@@IDENTITY") }}
	m["DB_ID"] = function{0, 1, func(c *compiler, a []*expr) *expr {
		t := tds.Type{Kind: tds.SmallInt}
		if len(a) == 0 {
			return constant(t, intValue(int64(c.x.db.id)))
		}
		return simple(t, []*expr{c.coerce(a[0], typName)}, func(v []value) (value, error) {
			if db := c.x.s.engine.database(v[0].s); db != nil {
				return intValue(int64(db.id)), nil
			}
			return nullValue, nil
		})
	}}
	m["DB_NAME"] = function{0, 1, func(c *compiler, a []*expr) *expr {
		if len(a) == 0 {
			return constant(typName, strValue(c.x.db.name))
		}
		return simple(typName, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
			for _, db := range c.x.s.engine.databases() {
				if int64(db.id) == v[0].i {
					return strValue(db.name), nil
				}
			}
			return nullValue, nil
		})
	}}
	m["OBJECT_ID"] = function{1, 2, objectID}
	m["OBJECT_NAME"] = function{1, 2, func(c *compiler, a []*expr) *expr {
		return simple(typName, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
			return c.x.db.tableNames(c.x.s.login, v[0].i, func(t *table) string { return t.name }), nil
		})
	}}
	m["OBJECT_SCHEMA_NAME"] = function{1, 2, func(c *compiler, a []*expr) *expr {
		return simple(typName, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
			return c.x.db.tableNames(c.x.s.login, v[0].i, func(t *table) string { return t.schema.name }), nil
		})
	}}
	m["SCHEMA_NAME"] = function{0, 1, func(c *compiler, a []*expr) *expr {
		if len(a) == 0 {
			return constant(typName, strValue("dbo"))
		}
		return simple(typName, []*expr{c.coerce(a[0], typInt)}, func(v []value) (value, error) {
			for _, s := range c.x.db.allSchemas() {
				if int64(s.id) == v[0].i {
					return strValue(s.name), nil
				}
			}
			return nullValue, nil
		})
	}}
	m["SCHEMA_ID"] = function{0, 1, func(c *compiler, a []*expr) *expr {
		if len(a) == 0 {
			return constant(typInt, intValue(1))
		}
		return simple(typInt, []*expr{c.coerce(a[0], typName)}, func(v []value) (value, error) {
			for _, s := range c.x.db.allSchemas() {
				if strings.EqualFold(s.name, v[0].s) {
					return intValue(int64(s.id)), nil
				}
			}
			return nullValue, nil
		})
	}}
	login := function{0, 1, func(c *compiler, _ []*expr) *expr { return constant(typName, strValue(c.x.s.login.Name)) }}
	m["SUSER_SNAME"], m["SUSER_NAME"], m["ORIGINAL_LOGIN"] = login, login, function{0, 0, login.compile}
	m["USER_NAME"] = function{0, 1, func(c *compiler, _ []*expr) *expr {
		if c.x.s.login.Admin {
			return constant(typName, strValue("dbo"))
		}
		return constant(typName, strValue(c.x.s.login.Name))
	}}
	m["HOST_NAME"] = function{0, 0, func(c *compiler, _ []*expr) *expr { return constant(typName, strValue(c.x.s.host)) }}
	m["APP_NAME"] = function{0, 0, func(c *compiler, _ []*expr) *expr { return constant(typName, strValue(c.x.s.app)) }}
	m["XACT_STATE"] = function{0, 0, func(c *compiler, _ []*expr) *expr {
		s := c.x.s
		return &expr{typ: tds.Type{Kind: tds.SmallInt}, eval: func(*frame) (value, error) { return bitValue(s.tx != nil), nil }}
	}}
	m["SERVERPROPERTY"] = function{1, 1, serverProperty}
	m["DATABASEPROPERTYEX"] = function{2, 2, databaseProperty}
	m["HAS_DBACCESS"] = function{1, 1, func(c *compiler, a []*expr) *expr {
		return simple(typInt, []*expr{c.coerce(a[0], typName)}, func(v []value) (value, error) {
			db := c.x.s.engine.database(v[0].s)
			if db == nil {
				return nullValue, nil
			}
			return bitValue(db.State() == "ONLINE"), nil
		})
	}}
	m["HAS_PERMS_BY_NAME"] = function{3, 5, hasPerms}
	m["IS_SRVROLEMEMBER"] = function{1, 2, func(c *compiler, _ []*expr) *expr { return constant(typInt, bitValue(c.x.s.login.Admin)) }}
	m["IS_MEMBER"] = function{1, 1, func(c *compiler, _ []*expr) *expr { return constant(typInt, bitValue(c.x.s.login.Admin)) }}
	m["COL_LENGTH"] = function{2, 2, colLength}
}

func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails since Go 1.24
	b[7] = b[7]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return string(b[:])
}

// nameOf reads a name from a string as OBJECT_ID does.
func nameOf(s string) (tsql.Name, bool) {
	stmts, err := tsql.Parse("TRUNCATE TABLE " + s)
	if err != nil || len(stmts) != 1 {
		return tsql.Name{}, false
	}
	t, ok := stmts[0].(*tsql.Truncate)
	if !ok {
		return tsql.Name{}, false
	}
	return t.Table, true
}

func objectID(c *compiler, a []*expr) *expr {
	a[0] = c.coerce(a[0], typLong)
	return simple(typInt, a, func(v []value) (value, error) {
		n, ok := nameOf(v[0].s)
		if !ok || len(v) > 1 && strings.TrimSpace(strings.ToUpper(v[1].s)) != "U" {
			return nullValue, nil
		}
		t, err := c.x.db.findTable(n)
		if err != nil || t == nil || !c.x.db.sees(c.x.s.login, t) {
			return nullValue, nil //nolint:nilerr // another database's name is not found
		}
		return intValue(int64(t.id)), nil
	})
}

func colLength(c *compiler, a []*expr) *expr {
	return simple(tds.Type{Kind: tds.SmallInt}, []*expr{c.coerce(a[0], typLong), c.coerce(a[1], typName)}, func(v []value) (value, error) {
		n, ok := nameOf(v[0].s)
		if !ok {
			return nullValue, nil
		}
		t, err := c.x.db.findTable(n)
		if err != nil || t == nil || !c.x.db.sees(c.x.s.login, t) || t.column(v[1].s) < 0 {
			return nullValue, nil //nolint:nilerr // another database's name is not found
		}
		return intValue(int64(storedLen(t.cols[t.column(v[1].s)].typ))), nil
	})
}

func variantOf(a any) value {
	switch a := a.(type) {
	case string:
		return value{x: &variant{typName, strValue(a)}}
	case int:
		return value{x: &variant{typInt, intValue(int64(a))}}
	}
	return nullValue
}

// of2022 tells whether the server has what came with SQL Server 2022. Azure's
// versions say nothing.
func (o Options) of2022() bool {
	major, _, _ := strings.Cut(cmp.Or(o.Product, productVersion), ".")
	n, err := strconv.Atoi(major)
	return o.EngineEdition == 5 || o.EngineEdition == 8 || err == nil && n >= 16
}

func serverProperty(c *compiler, a []*expr) *expr {
	o, name := c.x.s.engine.opts, c.x.s.engine.serverName()
	product := cmp.Or(o.Product, productVersion)
	major, _, _ := strings.Cut(product, ".")
	return simple(typVariant, []*expr{c.coerce(a[0], typName)}, func(v []value) (value, error) {
		props := map[string]any{
			"productversion": product, "productlevel": "RTM", "edition": "Developer Edition (64-bit)",
			"engineedition": 3, "productmajorversion": major, "productminorversion": "0", "servername": name,
			"machinename": name, "collation": defaultCollation, "isclustered": 0, "ishadrenabled": 0,
			"isintegratedsecurityonly": 0,
		}
		if o.EngineEdition != 0 {
			props["engineedition"] = o.EngineEdition
		}
		return variantOf(props[strings.ToLower(v[0].s)]), nil
	})
}

func databaseProperty(c *compiler, a []*expr) *expr {
	return simple(typVariant, []*expr{c.coerce(a[0], typName), c.coerce(a[1], typName)}, func(v []value) (value, error) {
		db := c.x.s.engine.database(v[0].s)
		if db == nil {
			return nullValue, nil
		}
		switch strings.ToLower(v[1].s) {
		case "status":
			return variantOf(db.State()), nil
		case "updateability":
			return variantOf("READ_WRITE"), nil
		case "collation":
			return variantOf(defaultCollation), nil
		case "recovery":
			return variantOf("FULL"), nil
		case "useraccess":
			return variantOf("MULTI_USER"), nil
		case "isautoclose", "isautoshrink":
			return variantOf(0), nil
		}
		return nullValue, nil
	})
}

func hasPerms(c *compiler, a []*expr) *expr {
	s := c.x.s
	names := make([]*expr, 3)
	for i := range names {
		names[i] = c.coerce(a[i], typLong)
	}
	return &expr{typ: typInt, nullable: true, eval: func(f *frame) (value, error) {
		var v [3]value
		for i, x := range names {
			var err error
			if v[i], err = x.eval(f); err != nil {
				return v[i], err
			}
		}
		if v[2].null {
			return nullValue, nil
		}
		perm := strings.ToUpper(v[2].s)
		class := strings.ToUpper(v[1].s)
		if class != "OBJECT" {
			switch perm {
			case "VIEW DATABASE STATE", "VIEW SERVER STATE":
				return bitValue(s.login.viewState()), nil
			case "VIEW SERVER PERFORMANCE STATE", "VIEW DATABASE PERFORMANCE STATE":
				if !s.engine.opts.of2022() {
					return nullValue, nil
				}
				return bitValue(s.login.viewState()), nil
			case "VIEW DEFINITION", "VIEW ANY DEFINITION":
				return bitValue(s.login.viewDefinition()), nil
			case "CONNECT", "CONNECT SQL":
				return bitValue(true), nil
			}
			return bitValue(s.login.Admin || perm == "SELECT" && s.login.SelectAll), nil
		}
		n, ok := nameOf(v[0].s)
		if !ok {
			return nullValue, nil
		}
		t, err := c.x.db.findTable(n)
		if err != nil || t == nil || !c.x.db.sees(s.login, t) {
			return nullValue, nil //nolint:nilerr // another database's name is not found
		}
		if perm == "VIEW DEFINITION" {
			return bitValue(s.login.viewDefinition()), nil
		}
		return bitValue(s.login.may(perm, t)), nil
	}}
}
