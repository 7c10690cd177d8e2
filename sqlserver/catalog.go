package sqlserver

import (
	"context"
	"database/sql/driver"
	"slices"
)

// catalogSQL reads what the login may see of all user tables: their columns,
// the types behind these, and their indexes. Types are known by name; where
// an alias type is used, by the name of its base type. Only numbers that are
// joined are numbers here.
const catalogSQL = `SELECT t.object_id, s.name AS schema_name, t.name AS table_name
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
WHERE t.is_ms_shipped = 0
ORDER BY s.name, t.name;
SELECT c.object_id, c.column_id, c.name, u.name AS declared, b.name AS base, CONVERT(int, c.max_length) AS max_length,
 CONVERT(int, c.[precision]) AS digits, CONVERT(int, c.scale) AS scale, CONVERT(int, c.is_nullable) AS is_nullable,
 CONVERT(int, c.is_identity) AS is_identity, CONVERT(int, c.is_computed) AS is_computed, c.collation_name
FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id
 LEFT JOIN sys.types AS u ON u.user_type_id = c.user_type_id
 LEFT JOIN sys.types AS b ON b.user_type_id = u.system_type_id
WHERE t.is_ms_shipped = 0
ORDER BY c.object_id, c.column_id;
SELECT i.object_id, i.index_id, i.type_desc, CONVERT(int, i.is_unique) AS is_unique, CONVERT(int, i.is_primary_key) AS is_primary_key,
 CONVERT(int, i.is_disabled) AS is_disabled, CONVERT(int, i.has_filter) AS has_filter,
 x.column_id, CONVERT(int, x.is_descending_key) AS is_descending_key
FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id
 JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id
WHERE t.is_ms_shipped = 0 AND x.is_included_column = 0 AND x.key_ordinal > 0
ORDER BY i.object_id, i.index_id, x.key_ordinal;
`

// The rest of the catalog is asked separately, because views or columns are
// missing from some versions. What cannot be read leaves columns as they are.
var catalogExtras = []extra{
	{"computed columns", `SELECT c.object_id, c.column_id FROM sys.computed_columns AS c WHERE c.is_persisted = 0;`,
		func(c *rawColumn) { c.volatile = true }},
	{"encrypted columns", `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.encryption_type IS NOT NULL;`,
		func(c *rawColumn) { c.encrypted = true }},
	{"masked columns", `SELECT c.object_id, c.column_id FROM sys.columns AS c
WHERE c.is_masked = 1 AND ISNULL(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'UNMASK'), 0) = 0;`,
		func(c *rawColumn) { c.masked = true }},
	{"column sets", `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.is_column_set = 1;`,
		func(c *rawColumn) { c.set = true }},
}

type extra struct {
	what string
	sql  string
	mark func(*rawColumn)
}

// Catalog reads the tables that the login may see, in the order of their
// names. Tables that cannot be synced are among them and say why.
func (s *Source) Catalog(ctx context.Context) ([]*Table, error) {
	const op = "read the catalog"
	var tables []*rawTable
	err := s.run(ctx, s.plain(catalogSQL), func(r *rows) (err error) {
		tables, err = readCatalog(r)
		return err
	})
	if err != nil {
		return nil, named(op, err)
	}
	byID := make(map[int32]*rawTable, len(tables))
	for _, t := range tables {
		byID[t.id] = t
	}
	for _, x := range catalogExtras {
		err := s.run(ctx, s.plain(x.sql), func(r *rows) error {
			return r.eachRow(func(v []driver.Value) error {
				if t := byID[int32(intOf(v[0]))]; t != nil {
					if c := t.column(int(intOf(v[1]))); c != nil {
						x.mark(c)
					}
				}
				return nil
			})
		})
		if _, refused := serverError(err); err != nil && !refused {
			return nil, named(op, err)
		}
	}
	result := make([]*Table, len(tables))
	for i, t := range tables {
		result[i] = t.table()
	}
	return result, nil
}

// plain is a statement of the source's own, under READ COMMITTED: metadata
// has no versions.
func (s *Source) plain(text string, args ...driver.NamedValue) statement {
	return statement{text: text, args: args, limits: s.limits}
}

// rawTable, rawColumn and rawIndex are rows of the catalog.
type rawTable struct {
	id           int32
	schema, name string
	columns      []rawColumn
	indexes      []rawIndex
}

type rawColumn struct {
	id        int
	name      string
	alias     string // the type's name as declared
	typ       declared
	nullable  bool
	identity  bool
	computed  bool
	collation string
	volatile  bool // computed and not stored
	encrypted bool
	masked    bool
	set       bool // the XML form of all sparse columns
}

type rawIndex struct {
	id        int
	kind      string
	unique    bool
	primary   bool
	disabled  bool
	filtered  bool
	columns   []rawKeyColumn
	clustered bool
}

type rawKeyColumn struct {
	id   int // column_id
	desc bool
}

func (t *rawTable) column(id int) *rawColumn {
	i := slices.IndexFunc(t.columns, func(c rawColumn) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return &t.columns[i]
}

func readCatalog(r *rows) ([]*rawTable, error) {
	var tables []*rawTable
	byID := map[int32]*rawTable{}
	err := r.eachRow(func(v []driver.Value) error {
		t := &rawTable{id: int32(intOf(v[0])), schema: textOf(v[1]), name: textOf(v[2])}
		tables = append(tables, t)
		byID[t.id] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.needSet(); err != nil {
		return nil, err
	}
	err = r.eachRow(func(v []driver.Value) error {
		t := byID[int32(intOf(v[0]))]
		if t == nil {
			return nil // made since
		}
		c := rawColumn{
			id: int(intOf(v[1])), name: textOf(v[2]), alias: textOf(v[3]),
			typ:      declared{name: textOf(v[4]), maxLength: int(intOf(v[5])), precision: int(intOf(v[6])), scale: int(intOf(v[7]))},
			nullable: intOf(v[8]) != 0, identity: intOf(v[9]) != 0, computed: intOf(v[10]) != 0, collation: textOf(v[11]),
		}
		// hierarchyid and spatial types share a system type that is no type
		// of its own; they are known by the name declared.
		if _, isType := (declared{name: c.alias, maxLength: 1, precision: 1}).wireType(); isType || isRowVersion(c.alias) {
			c.typ.name = c.alias
		}
		t.columns = append(t.columns, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.needSet(); err != nil {
		return nil, err
	}
	return tables, r.eachRow(func(v []driver.Value) error {
		t := byID[int32(intOf(v[0]))]
		if t == nil {
			return nil
		}
		id := int(intOf(v[1]))
		if n := len(t.indexes); n == 0 || t.indexes[n-1].id != id {
			t.indexes = append(t.indexes, rawIndex{
				id: id, kind: textOf(v[2]), unique: intOf(v[3]) != 0, primary: intOf(v[4]) != 0,
				disabled: intOf(v[5]) != 0, filtered: intOf(v[6]) != 0, clustered: textOf(v[2]) == "CLUSTERED",
			})
		}
		i := &t.indexes[len(t.indexes)-1]
		i.columns = append(i.columns, rawKeyColumn{int(intOf(v[7])), intOf(v[8]) != 0})
		return nil
	})
}

// intOf and textOf read values of the catalog; NULL is 0 and "".
func intOf(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

func textOf(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
