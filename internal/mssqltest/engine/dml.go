package engine

import (
	"strings"

	"tidemark/internal/mssqltest/tds"
)

// chunk is how many rows are written in one hold of the latch.
const chunk = 500

// modify runs a statement that writes, in the open transaction or one of its
// own. A statement that fails leaves nothing behind.
func (x *exec) modify(run func() (int64, error)) error {
	tx := x.s.openTxn()
	own := tx == nil
	if own {
		tx = x.s.newTxn(false)
	}
	x.tx = tx
	db := x.db
	db.mu.Lock()
	mark := len(tx.writes)
	if db.opts.EqualRowVersions == PerStatement {
		tx.equalRV = 0
	}
	db.mu.Unlock()
	n, err := run()
	x.s.work.Add(n)
	if err != nil {
		if own {
			x.s.finish(tx, false)
			return err
		}
		db.mu.Lock()
		if !tx.ended {
			db.rollbackTo(tx, mark)
		}
		db.mu.Unlock()
		return err
	}
	if own {
		x.s.finish(tx, true)
	}
	return x.done(n)
}

// locked runs f under the latch until it finds no other transaction in the
// way. Err ends the transaction's statement.
func (x *exec) locked(f func() (*conflict, error)) (*conflict, error) {
	for {
		if err := x.check(); err != nil {
			return nil, err
		}
		x.db.mu.Lock()
		if x.tx.ended {
			x.db.mu.Unlock()
			return nil, errKilled()
		}
		c, err := f()
		x.db.mu.Unlock()
		if err != nil || c == nil || c.busy == nil {
			return c, err
		}
		if err := x.waitFor(c.busy); err != nil {
			return nil, err
		}
	}
}

func (t *table) duplicate(c *conflict) error {
	if c.dup.constr {
		kind := "UNIQUE KEY"
		if c.dup.primary {
			kind = "PRIMARY KEY"
		}
		return severity(14, errorf(2627, "Violation of %s constraint '%s'. Cannot insert duplicate key in object '%s'. The duplicate key value is %s.", kind, c.dup.name, t.fullName(), c.key))
	}
	return severity(14, errorf(2601, "Cannot insert duplicate key row in object '%s' with unique index '%s'. The duplicate key value is %s.", t.fullName(), c.dup.name, c.key))
}

// stamp gives a row its row version. The latch is held.
func (x *exec) stamp(t *table, data []byte) {
	if t.rv >= 0 {
		t.stampRowVersion(data, x.db.nextRowVersion(x.tx))
	}
}

// insertRows writes rows, each in order.
func (x *exec) insertRows(t *table, rows [][]byte) error {
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		done := 0
		c, err := x.locked(func() (*conflict, error) {
			for done < len(part) {
				x.stamp(t, part[done]) // before its keys are taken
				if c, err := t.insert(x.tx, part[done]); c != nil || err != nil {
					return c, err
				}
				done++
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		if c != nil {
			return t.duplicate(c)
		}
		rows = rows[done:]
	}
	return nil
}

// assignable checks and compiles a value for a column.
func (c *compiler) assignable(t *table, ord int, x *expr, verb string) func(*frame) (value, error) {
	return c.assignableTo(t, t.cols[ord], x, verb)
}

func (c *compiler) assignableTo(t *table, col *column, x *expr, verb string) func(*frame) (value, error) {
	if !x.null && !implicit(x.typ, col.typ) {
		fail(errorf(257, "Implicit conversion from data type %s to %s is not allowed. Use the CONVERT function to run this query.", typeText(x.typ), typeText(col.typ)))
	}
	from := x.typ
	return func(f *frame) (value, error) {
		v, err := x.eval(f)
		if err != nil {
			return v, err
		}
		return t.fit(c.x.db, col, v, from, verb)
	}
}

// fit converts a value for storing: unlike CAST, it cuts nothing.
func (t *table) fit(db *Database, col *column, v value, from tds.Type, verb string) (value, error) {
	if v.null {
		if !col.nullable {
			return v, errorf(515, "Cannot insert the value NULL into column '%s', table '%s.%s'; column does not allow nulls. %s fails.", col.name, db.name, t.fullName(), verb)
		}
		return v, nil
	}
	out, err := convert(v, from, col.typ, 0)
	if err != nil {
		return v, err
	}
	if col.typ.Len > 0 && classOf(from.Kind) == classOf(col.typ.Kind) {
		cut := false
		switch classOf(from.Kind) {
		case clStr:
			cut = utf16Len(strings.TrimRight(v.s, " ")) > col.typ.Len
		case clBin:
			cut = col.typ.Kind != tds.UDT && len(strings.TrimRight(v.s, "\x00")) > col.typ.Len
		}
		if cut {
			shown := out
			if classOf(from.Kind) == clBin {
				shown = strValue("")
			}
			return v, errorf(2628, "String or binary data would be truncated in table '%s.%s', column '%s'. Truncated value: '%s'.", db.name, t.fullName(), col.name, shown.s)
		}
	}
	return out, nil
}
