package sqlserver

import (
	"context"
	"database/sql/driver"
	"slices"
)

// The catalog's statements read what the login may see of all user tables:
// their columns, the types behind these, and their indexes. Types are known
// by name; where an alias type is used, by the name of its base type. Only
// numbers that are joined are numbers here.
const (
	tablesSQL = `SELECT t.object_id, s.name AS schema_name, t.name AS table_name
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
WHERE t.is_ms_shipped = 0
ORDER BY s.name, t.name;
`
	columnsSQL = `SELECT c.object_id, c.column_id, c.name, u.name AS declared, b.name AS base, CONVERT(int, c.max_length) AS max_length,
 CONVERT(int, c.[precision]) AS digits, CONVERT(int, c.scale) AS scale, CONVERT(int, c.is_nullable) AS is_nullable,
 CONVERT(int, c.is_identity) AS is_identity, CONVERT(int, c.is_computed) AS is_computed, c.collation_name
FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id
 LEFT JOIN sys.types AS u ON u.user_type_id = c.user_type_id
 LEFT JOIN sys.types AS b ON b.user_type_id = u.system_type_id
WHERE t.is_ms_shipped = 0
ORDER BY c.object_id, c.column_id;
`
	indexesSQL = `SELECT i.object_id, i.index_id, i.type_desc, CONVERT(int, i.is_unique) AS is_unique, CONVERT(int, i.is_primary_key) AS is_primary_key,
 CONVERT(int, i.is_disabled) AS is_disabled, CONVERT(int, i.has_filter) AS has_filter,
 x.column_id, CONVERT(int, x.is_descending_key) AS is_descending_key
FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id
 JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id
WHERE t.is_ms_shipped = 0 AND x.is_included_column = 0 AND x.key_ordinal > 0
ORDER BY i.object_id, i.index_id, x.key_ordinal;
`
)

// What the standard's views tell, for servers whose own lack something.
const (
	standardTables = ` JOIN sys.schemas AS s ON s.name = c.TABLE_SCHEMA JOIN sys.tables AS t ON t.schema_id = s.schema_id AND t.name = c.TABLE_NAME
WHERE t.is_ms_shipped = 0`
	standardColumnsSQL = `SELECT t.object_id, CONVERT(int, c.ORDINAL_POSITION) AS column_id, c.COLUMN_NAME AS name, c.DATA_TYPE AS declared, c.DATA_TYPE AS base,
 CONVERT(int, c.CHARACTER_OCTET_LENGTH) AS max_length, CONVERT(int, c.NUMERIC_PRECISION) AS digits,
 ISNULL(CONVERT(int, c.NUMERIC_SCALE), CONVERT(int, c.DATETIME_PRECISION)) AS scale,
 CASE c.IS_NULLABLE WHEN 'NO' THEN 0 ELSE 1 END AS is_nullable, 0 AS is_identity, 0 AS is_computed, c.COLLATION_NAME AS collation_name
FROM INFORMATION_SCHEMA.COLUMNS AS c` + standardTables + `
ORDER BY t.object_id, c.ORDINAL_POSITION;
`
	standardKeysSQL = `SELECT t.object_id, c.COLUMN_NAME AS name
FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS k
 JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS c ON c.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = k.CONSTRAINT_NAME
 AND c.TABLE_SCHEMA = k.TABLE_SCHEMA AND c.TABLE_NAME = k.TABLE_NAME` + standardTables + ` AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'
ORDER BY t.object_id, c.ORDINAL_POSITION;
`
)

// The rest of the catalog is asked separately, because views or columns are
// missing from some versions. What cannot be read leaves columns as they are.
var catalogExtras = []extra{
	{what: "computed columns", sql: `SELECT c.object_id, c.column_id FROM sys.computed_columns AS c WHERE c.is_persisted = 0;`,
		mark: func(c *rawColumn) { c.volatile = true }},
	{what: "encrypted columns", sql: `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.encryption_type > 0;`,
		mark: func(c *rawColumn) { c.encrypted = true }},
	{what: "masked columns", sql: `SELECT c.object_id, c.column_id FROM sys.columns AS c
WHERE c.is_masked = 1 AND ISNULL(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'UNMASK'), 0) = 0;`,
		// Where rights are not told, a mask is not taken for a value.
		instead: `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.is_masked = 1;`,
		mark:    func(c *rawColumn) { c.masked = true }},
	{what: "column sets", sql: `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.is_column_set = 1;`,
		mark: func(c *rawColumn) { c.set = true }},
	{what: "graph columns", sql: `SELECT c.object_id, c.column_id FROM sys.columns AS c WHERE c.graph_type > 0;`,
		mark: func(c *rawColumn) { c.graph = true }},
}

type extra struct {
	what    string
	sql     string
	instead string // where sql is refused
	mark    func(*rawColumn)
}

// Catalog reads the tables that the login may see, in the order of their
// names. Tables that cannot be synced are among them and say why.
func (s *Source) Catalog(ctx context.Context) ([]*Table, error) {
	const op = "read the catalog"
	f, err := s.know(ctx)
	if err != nil {
		return nil, named(op, err)
	}
	c := catalog{source: s, facts: f}
	if err := c.read(ctx); err != nil {
		return nil, named(op, err)
	}
	s.catalog.Store(&c.notes)
	result := make([]*Table, len(c.tables))
	for i, t := range c.tables {
		result[i] = t.table()
	}
	return result, nil
}

// A catalog is being read.
type catalog struct {
	source *Source
	facts  *facts
	tables []*rawTable
	byID   map[int32]*rawTable
	notes  []string
}

// read asks for all in one batch; where the server refuses that, part by part
// and what it lacks elsewhere.
func (c *catalog) read(ctx context.Context) error {
	err := c.run(ctx, tablesSQL+columnsSQL+indexesSQL, c.readTables, c.readColumns, c.readIndexes)
	if lacking(err) {
		err = c.readParts(ctx)
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(c.tables, (*rawTable).keyless) {
		if err := c.run(ctx, standardKeysSQL, c.readKeys); err != nil && !lacking(err) {
			return err
		}
	}
	for _, x := range catalogExtras {
		mark := func(r *rows) error {
			return c.each(r, func(t *rawTable, v []driver.Value) {
				if column := t.column(int(intOf(v[1]))); column != nil {
					x.mark(column)
				}
			})
		}
		told, err := c.extra(ctx, x.sql, mark)
		if err == nil && !told && x.instead != "" {
			_, err = c.extra(ctx, x.instead, mark)
		}
		if err != nil {
			return err
		}
	}
	return c.source.checkCollations(ctx, c.tables)
}

// extra runs a statement that the server may refuse; told is false then. A
// refusal costs a connection and is remembered.
func (c *catalog) extra(ctx context.Context, sql string, mark func(*rows) error) (told bool, err error) {
	if _, refused := c.facts.refused.Load(sql); refused {
		return false, nil
	}
	err = c.run(ctx, sql+"\n", mark)
	if lacking(err) {
		c.facts.refused.Store(sql, true)
		return false, nil
	}
	return err == nil, err
}

func (c *catalog) readParts(ctx context.Context) error {
	if err := c.run(ctx, tablesSQL, c.readTables); err != nil {
		return err
	}
	err := c.run(ctx, columnsSQL, c.readColumns)
	if lacking(err) {
		c.notes = append(c.notes, "not visible: sys.columns or sys.types; columns are read from INFORMATION_SCHEMA, which does not tell which are computed")
		for _, t := range c.tables {
			t.columns = nil
		}
		err = c.run(ctx, standardColumnsSQL, c.readColumns)
		for _, t := range c.tables {
			for i := range t.columns {
				t.columns[i].stable = 0 // a place in the table
			}
		}
	}
	if err != nil {
		return err
	}
	err = c.run(ctx, indexesSQL, c.readIndexes)
	if lacking(err) {
		c.notes = append(c.notes, "not visible: sys.indexes or sys.index_columns; only primary keys are known, and all deltas are read along them")
		for _, t := range c.tables {
			t.indexes = nil
		}
		return nil
	}
	return err
}

// run reads the result sets of a batch, one after the other.
func (c *catalog) run(ctx context.Context, text string, sets ...func(*rows) error) error {
	return c.source.run(ctx, c.source.plain(text), func(r *rows) error {
		for i, read := range sets {
			if i > 0 {
				if err := r.needSet(); err != nil {
					return err
				}
			}
			if err := read(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// plain is a statement of the source's own, under READ COMMITTED: metadata
// has no versions.
func (s *Source) plain(text string, args ...driver.NamedValue) statement {
	return statement{text: text, args: args, limits: s.limits}
}
