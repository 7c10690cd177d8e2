package sqlserver

import (
	"fmt"
	"strings"
)

// A term is one column of an order: how it reads in SQL, and the parameter's
// expression that it is compared with.
type term struct {
	column string
	value  string
	desc   bool
}

// keyTerms are the columns of the key's order, in the directions of its
// index, so that no sort is needed.
func (t *Table) keyTerms() []term {
	terms := make([]term, len(t.Key))
	for i, k := range t.Key {
		c := &t.Columns[k.Index]
		terms[i] = term{"t." + quote(c.Name), c.write("@" + keyParam(i)), k.Desc}
	}
	return terms
}

// versionTerms are the columns of the order (row version, key).
func (t *Table) versionTerms() []term {
	return append([]term{{column: "t." + quote(t.RowVersion), value: "@rv"}}, t.keyTerms()...)
}

func orderBy(terms []term) string {
	items := make([]string, len(terms))
	for i, t := range terms {
		items[i] = t.column
		if t.desc {
			items[i] += " DESC"
		}
	}
	return strings.Join(items, ", ")
}

// level is the condition of level d: equal in the first d-1 columns, behind
// in the d-th. The levels from len(terms) to 1, read one after the other, are
// all rows behind a key, each with an exact seek. One condition for all of
// them, k1 >= @k1 AND (k1 > @k1 OR ...), would seek on the first column alone
// and, where that is the same in most rows, read from its beginning each time.
func level(terms []term, d int) string {
	conds := make([]string, d)
	for i, t := range terms[:d] {
		op := " = "
		if i == d-1 {
			op = " > "
			if t.desc {
				op = " < "
			}
		}
		conds[i] = t.column + op + t.value
	}
	return strings.Join(conds, " AND ")
}

// firstPage selects the first @n rows where cond holds, in order.
func (p *plan) firstPage(terms []term, cond string) string {
	return p.batch(p.page("@n", terms, cond))
}

func (p *plan) page(top string, terms []term, cond string) string {
	if cond != "" {
		cond = " WHERE " + cond
	}
	return "SELECT TOP (" + top + ") " + p.list("t."+quote(p.table.RowVersion), p.direct) +
		"\nFROM " + p.table.quoted() + " AS t" + cond + "\nORDER BY " + orderBy(terms) + readHints + ";\n"
}

// nextPage selects the @n rows behind a position, level by level. The last
// level alone is open to the range's end and takes cond as well.
func (p *plan) nextPage(terms []term, cond string) string {
	and := func(d int) string {
		c := level(terms, d)
		if d == 1 && cond != "" {
			c += " AND " + cond
		}
		return c
	}
	if len(terms) == 1 {
		return p.batch(p.page("@n", terms, and(1)))
	}
	var b strings.Builder
	b.WriteString("DECLARE @left bigint = @n;\n")
	for d := len(terms); d >= 1; d-- {
		b.WriteString(p.page("@left", terms, and(d)))
		if d > 1 {
			b.WriteString("SET @left = @left - @@ROWCOUNT;\n")
		}
	}
	return p.batch(b.String())
}

// window reads @n rows in key order and selects those whose row version is in
// (@from, @ceiling], and the last of the @n whatever its version, so that
// reading goes on where nothing has changed. One scan does both: what is
// counted is what is filtered, whatever is written meanwhile.
func (p *plan) window(terms []term, d int) string {
	cond := ""
	if d > 0 {
		cond = " WHERE " + level(terms, d)
	}
	return p.batch("SELECT " + p.list("w.r", p.windowed) + ", w.n AS n\nFROM (SELECT TOP (@n) " + p.inner(orderBy(terms)) +
		" FROM " + p.table.quoted() + " AS t" + cond + " ORDER BY " + orderBy(terms) + ") AS w\n" +
		"WHERE (w.r > @from AND w.r <= @ceiling) OR w.n = @n\nORDER BY w.n" + readHints + ";\n")
}

// countWindow gives the last of @n rows in key order, with its number.
func (p *plan) countWindow(terms []term, d int) string {
	cond := ""
	if d > 0 {
		cond = " WHERE " + level(terms, d)
	}
	return p.batch("SELECT TOP (1) " + p.list("w.r", p.windowed) + ", w.n AS n\nFROM (SELECT TOP (@n) " + p.inner(orderBy(terms)) +
		" FROM " + p.table.quoted() + " AS t" + cond + " ORDER BY " + orderBy(terms) + ") AS w\n" +
		"ORDER BY w.n DESC" + readHints + ";\n")
}

// batch puts the witness behind the statements that read rows.
func (p *plan) batch(read string) string { return read + p.witnessSQL() }

func (p *plan) witnessSQL() string {
	if len(p.witness) == 0 {
		return ""
	}
	items := make([]string, len(p.witness))
	for n, i := range p.witness {
		items[n] = fmt.Sprintf("%s AS w%d", p.direct(i), n)
	}
	return "SELECT TOP (0) " + strings.Join(items, ", ") + " FROM " + p.table.quoted() + " AS t;\n"
}

// deltaRange is the range of a delta over the row version's index.
func (t *Table) deltaRange() string {
	rv := "t." + quote(t.RowVersion)
	return rv + " > @from AND " + rv + " <= @ceiling"
}

// deltaEnd ends a delta that goes on behind a position.
func (t *Table) deltaEnd() string { return "t." + quote(t.RowVersion) + " <= @ceiling" }

// boundSQL gives the row version of the @n-th row of a delta, or of its last.
// It reads the index alone.
func (t *Table) boundSQL() string {
	return "SELECT TOP (1) CONVERT(binary(8), b.r) AS r\nFROM (SELECT TOP (@n) t." + quote(t.RowVersion) + " AS r FROM " + t.quoted() +
		" AS t WHERE " + t.deltaRange() + " ORDER BY t." + quote(t.RowVersion) + ") AS b\nORDER BY b.r DESC" + readHints + ";\n"
}

// highSQL gives the highest row version of a delta.
func (t *Table) highSQL() string {
	rv := "t." + quote(t.RowVersion)
	return "SELECT TOP (1) CONVERT(binary(8), " + rv + ") AS r FROM " + t.quoted() + " AS t WHERE " + t.deltaRange() +
		" ORDER BY " + rv + " DESC" + readHints + ";\n"
}

// countSQL counts the rows over whatever index is narrowest.
func (t *Table) countSQL() string {
	return "SELECT COUNT_BIG(*) AS n FROM " + t.quoted() + " AS t" + readHints + ";\n"
}

// lookup selects the rows of size keys, given as parameters @k<row>_<column>.
// Loops from the keys to the table are the only plan it leaves: one seek for
// each key, whatever the statistics say.
func (p *plan) lookup(size int) string {
	t := p.table
	var b strings.Builder
	b.WriteString("SELECT v.i AS i, " + p.list("t."+quote(t.RowVersion), p.direct) + "\nFROM (VALUES ")
	for row := range size {
		if row > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%d", row)
		for k := range t.Key {
			fmt.Fprintf(&b, ", @k%d_%d", row, k)
		}
		b.WriteString(")")
	}
	b.WriteString(") AS v(i")
	conds := make([]string, len(t.Key))
	for n, k := range t.Key {
		fmt.Fprintf(&b, ", k%d", n)
		c := &t.Columns[k.Index]
		conds[n] = "t." + quote(c.Name) + " = " + c.write(fmt.Sprintf("v.k%d", n))
	}
	b.WriteString(") JOIN " + t.quoted() + " AS t ON " + strings.Join(conds, " AND ") + lookupHints + ";\n")
	return p.batch(b.String())
}

// keyParam names the parameter of the i-th column of a position's key.
func keyParam(i int) string { return fmt.Sprintf("k%d", i) }
