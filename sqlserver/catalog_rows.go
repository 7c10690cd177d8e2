package sqlserver

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"
)

// rawTable, rawColumn and rawIndex are rows of the catalog.
type rawTable struct {
	id           int32
	schema, name string
	columns      []rawColumn
	indexes      []rawIndex
}

type rawColumn struct {
	id        int
	stable    int // id, where no other column ever gets it; 0 otherwise
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
	graph     bool // internal to a node or edge table
	collating collationUse
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

// keyless tells whether no primary key is known of the table. On SQL Server it
// has none then; other servers do not fill in all of sys.index_columns.
func (t *rawTable) keyless() bool {
	return !slices.ContainsFunc(t.indexes, func(i rawIndex) bool { return i.primary })
}

// each calls f for every row of a result set that begins with the object id
// of a table that is known; the others were made since.
func (c *catalog) each(r *rows, f func(*rawTable, []driver.Value)) error {
	return r.eachRow(func(v []driver.Value) error {
		if t := c.byID[int32(intOf(v[0]))]; t != nil {
			f(t, v)
		}
		return nil
	})
}

func (c *catalog) readTables(r *rows) error {
	c.tables, c.byID = nil, map[int32]*rawTable{}
	return r.eachRow(func(v []driver.Value) error {
		t := &rawTable{id: int32(intOf(v[0])), schema: textOf(v[1]), name: textOf(v[2])}
		c.tables = append(c.tables, t)
		c.byID[t.id] = t
		return nil
	})
}

func (c *catalog) readColumns(r *rows) error {
	return c.each(r, func(t *rawTable, v []driver.Value) {
		column := rawColumn{
			id: int(intOf(v[1])), stable: int(intOf(v[1])), name: textOf(v[2]), alias: textOf(v[3]),
			typ:      declared{name: strings.ToLower(textOf(v[4])), maxLength: int(intOf(v[5])), precision: int(intOf(v[6])), scale: int(intOf(v[7]))},
			nullable: intOf(v[8]) != 0, identity: intOf(v[9]) != 0, computed: intOf(v[10]) != 0, collation: textOf(v[11]),
		}
		// hierarchyid and spatial types share a system type that is no type
		// of its own; they are known by the name declared.
		alias := strings.ToLower(column.alias)
		if _, isType := (declared{name: alias, maxLength: 1, precision: 1}).wireType(); isType || isRowVersion(alias) {
			column.typ.name = alias
		}
		t.columns = append(t.columns, column)
	})
}

func (c *catalog) readIndexes(r *rows) error {
	return c.each(r, func(t *rawTable, v []driver.Value) {
		id := int(intOf(v[1]))
		if n := len(t.indexes); n == 0 || t.indexes[n-1].id != id {
			kind := cmp.Or(strings.ToUpper(textOf(v[2])), "NONCLUSTERED")
			t.indexes = append(t.indexes, rawIndex{
				id: id, kind: kind, unique: intOf(v[3]) != 0, primary: intOf(v[4]) != 0,
				disabled: intOf(v[5]) != 0, filtered: intOf(v[6]) != 0, clustered: kind == "CLUSTERED",
			})
		}
		i := &t.indexes[len(t.indexes)-1]
		i.columns = append(i.columns, rawKeyColumn{int(intOf(v[7])), intOf(v[8]) != 0})
	})
}

// readKeys takes primary keys from the standard's views. These do not tell
// directions; a wrong one costs a sort.
func (c *catalog) readKeys(r *rows) error {
	found := map[*rawTable]*rawIndex{}
	err := c.each(r, func(t *rawTable, v []driver.Value) {
		if !t.keyless() {
			return
		}
		i := found[t]
		if i == nil {
			i = &rawIndex{id: -1, kind: "NONCLUSTERED", unique: true, primary: true}
			found[t] = i
		}
		name := textOf(v[1])
		at := slices.IndexFunc(t.columns, func(c rawColumn) bool { return c.name == name })
		if at < 0 { // not visible: then the key is not
			i.columns = append(i.columns, rawKeyColumn{})
			return
		}
		i.columns = append(i.columns, rawKeyColumn{id: t.columns[at].id})
	})
	for t, i := range found {
		t.indexes = append(t.indexes, *i)
	}
	return err
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
