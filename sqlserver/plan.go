package sqlserver

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"tidemark/internal/wire"
)

// A plan is what the statements of one kind select, and how a result row is
// laid out:
//
//	[i]       lookups: which key of the question the row answers
//	[r]       the row version, where the table has one
//	c0 c1...  the columns; behind a sql_variant its properties p0_0...p0_3
//	[s]       bytes of the large values, where there can be any
//	[n]       windows: the number of the row in the window
//
// Behind the rows comes a witness, where a column is read in another type than
// its own: a result set without rows that shows the columns' own types. It is
// the last statement of the batch, so that no change of the table between the
// two can go unseen.
type plan struct {
	table   *Table
	columns []int // read, as indexes into table.Columns
	keyAt   []int // the key's columns as indexes into columns, in key order
	large   []int // columns that can be large, as indexes into table.Columns
	witness []int // columns that are read in another type
}

func (p *plan) read(i int) {
	c := &p.table.Columns[i]
	p.columns = append(p.columns, i)
	if c.isLarge() {
		p.large = append(p.large, i)
	}
	if c.converted() {
		p.witness = append(p.witness, i)
	}
}

// rowPlan selects whole rows.
func rowPlan(t *Table) *plan {
	p := &plan{table: t}
	for i := range t.Columns {
		p.read(i)
	}
	for _, k := range t.Key {
		p.keyAt = append(p.keyAt, k.Index)
	}
	return p
}

// keyPlan selects keys and row versions. Where the version is a hash of the
// content, that is the whole row.
func keyPlan(t *Table) *plan {
	if t.RowVersion == "" {
		return rowPlan(t)
	}
	return bareKeyPlan(t)
}

// bareKeyPlan selects no more than key and row version.
func bareKeyPlan(t *Table) *plan {
	p := &plan{table: t}
	for i, k := range t.Key {
		p.read(k.Index)
		p.keyAt = append(p.keyAt, i)
	}
	return p
}

// list is the select list, reading column i of the table from ref(i) and the
// row version from rv.
func (p *plan) list(rv string, ref func(int) string) string {
	var items []string
	if p.table.RowVersion != "" {
		// Converted, because compatible servers type a bare one differently.
		items = append(items, "CONVERT(binary(8), "+rv+") AS r")
	}
	size := p.size(ref)
	for n, i := range p.columns {
		c := &p.table.Columns[i]
		value := c.read(ref(i))
		if c.isLarge() {
			value = "CASE WHEN " + size + " <= @limit THEN " + value + " END"
		}
		items = append(items, fmt.Sprintf("%s AS c%d", value, n))
		if c.Type.Kind == wire.Variant {
			for k, property := range variantProperties(ref(i)) {
				items = append(items, fmt.Sprintf("%s AS p%d_%d", property, n, k))
			}
		}
	}
	if size != "" {
		items = append(items, size+" AS s")
	}
	return strings.Join(items, ", ")
}

// size is the sum of the bytes of the row's large values, "" where there can
// be none.
func (p *plan) size(ref func(int) string) string {
	var sizes []string
	for _, i := range p.large {
		sizes = append(sizes, "CONVERT(bigint, ISNULL(DATALENGTH("+ref(i)+"), 0))")
	}
	return strings.Join(sizes, " + ")
}

// inner is the select list of a window's inner query: plain columns under the
// names that outer reads.
func (p *plan) inner(order string) string {
	var items []string
	if p.table.RowVersion != "" {
		items = append(items, "t."+quote(p.table.RowVersion)+" AS r")
	}
	for n, i := range p.columns {
		items = append(items, fmt.Sprintf("t.%s AS c%d", quote(p.table.Columns[i].Name), n))
	}
	return strings.Join(append(items, "ROW_NUMBER() OVER (ORDER BY "+order+") AS n"), ", ")
}

// direct reads a column from the table itself.
func (p *plan) direct(i int) string { return "t." + quote(p.table.Columns[i].Name) }

// windowed reads a column from a window's inner query.
func (p *plan) windowed(i int) string {
	for n, c := range p.columns {
		if c == i {
			return "w.c" + strconv.Itoa(n)
		}
	}
	return "" // no plan reads what it does not select
}

// shapes are the types that the driver must announce, with lead columns in
// front and, for a window, the row's number behind. A table that was altered
// gives others, and then no value may be taken for that of its neighbour.
func (p *plan) shapes(lead []shape, window bool) []shape {
	want := append([]shape(nil), lead...)
	if p.table.RowVersion != "" {
		want = append(want, shape{name: "BINARY", length: anyLength})
	}
	for _, i := range p.columns {
		c := &p.table.Columns[i]
		s := c.shape()
		if c.converted() { // the witness shows the column's own length
			s.length = anyLength
		}
		want = append(want, s)
		if c.Type.Kind == wire.Variant {
			want = append(want, variantShapes[:]...)
		}
	}
	if len(p.large) > 0 {
		want = append(want, shape{name: "BIGINT"})
	}
	if window {
		want = append(want, shape{name: "BIGINT"})
	}
	return want
}

// witnessShapes are the types that the witness must announce.
func (p *plan) witnessShapes() []shape {
	var want []shape
	for _, i := range p.witness {
		want = append(want, p.table.Columns[i].ownShape())
	}
	return want
}

// typed is what go-mssqldb's rows tell about their columns.
type typed interface {
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypePrecisionScale
}

// check holds the result's columns against those expected.
func check(r *rows, want []shape) error {
	names := r.Columns()
	if len(names) != len(want) {
		return fmt.Errorf("%w: %d columns instead of %d", ErrSchemaChanged, len(names), len(want))
	}
	types, ok := r.Rows.(typed)
	if !ok {
		return fmt.Errorf("%T does not tell the types of its columns", r.Rows)
	}
	for i, w := range want {
		got := described(types, i)
		if names[i] == "r" && got.name == "VARBINARY" {
			got.name = "BINARY" // compatible servers
		}
		if w.length == anyLength {
			got.length = anyLength
		}
		if got != w {
			return fmt.Errorf("%w: result column %s is %v instead of %v", ErrSchemaChanged, names[i], got, w)
		}
	}
	return nil
}

// described is the shape of result column i. The driver panics on types that
// it cannot name; such a column has no name here.
func described(types typed, i int) (got shape) {
	defer func() {
		if recover() != nil {
			got = shape{}
		}
	}()
	got.name = types.ColumnTypeDatabaseTypeName(i)
	switch got.name {
	case "BINARY", "VARBINARY", "CHAR", "VARCHAR", "NCHAR", "NVARCHAR":
		got.length, _ = types.ColumnTypeLength(i)
	case "DECIMAL":
		got.precision, got.scale, _ = types.ColumnTypePrecisionScale(i)
	case "TIME", "DATETIME2", "DATETIMEOFFSET":
		_, got.scale, _ = types.ColumnTypePrecisionScale(i)
	}
	return got
}

// String is the shape in words.
func (s shape) String() string {
	switch {
	case s.precision != 0 || s.scale != 0:
		return fmt.Sprintf("%s(%d,%d)", s.name, s.precision, s.scale)
	case s.length != 0:
		return fmt.Sprintf("%s(%d)", s.name, s.length)
	case s.name == "":
		return "a type that is not known"
	}
	return s.name
}
