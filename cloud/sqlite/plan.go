package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"tidemark/cloud/dataset"
	"tidemark/internal/wire"
)

// A plan is the SQL of one customer's view of a shared table: the columns of
// its schema, by their identifiers.
type plan struct {
	table    string
	schema   wire.Schema
	ids      []string // of Schema.Columns
	key      []int    // of the key among them
	keyTypes []wire.Type
}

func newPlan(set dataset.Dataset, schema wire.Schema) plan {
	p := plan{table: tableName(set), schema: schema, key: schema.KeyIndexes(), keyTypes: schema.KeyTypes()}
	for _, c := range schema.Columns {
		p.ids = append(p.ids, quote(set.Column(c.Name).ID))
	}
	return p
}

func (p plan) keyIDs() []string {
	ids := make([]string, len(p.key))
	for i, at := range p.key {
		ids[i] = p.ids[at]
	}
	return ids
}

// whereKey seeks one row; its arguments are those of keyArgs.
func (p plan) whereKey() string {
	return " WHERE customer_id = ? AND " + strings.Join(p.keyIDs(), " = ? AND ") + " = ?"
}

// beyond compares the key as a row value: "(k1, k2) > (?, ?)".
func (p plan) beyond(operator string) string {
	return " AND (" + strings.Join(p.keyIDs(), ", ") + ") " + operator + " (" + places(len(p.key)) + ")"
}

func (p plan) find() string {
	return "SELECT _tm_rv, _tm_epoch FROM " + p.table + p.whereKey()
}

func (p plan) insert() string {
	return "INSERT INTO " + p.table + " (customer_id, _tm_rv, _tm_epoch, " + strings.Join(p.ids, ", ") + ") VALUES (" + places(3+len(p.ids)) +
		") ON CONFLICT DO NOTHING"
}

// update leaves the key alone, so that the row stays where it is; see
// updateArgs.
func (p plan) update() string {
	set := "_tm_rv = ?, _tm_epoch = ?"
	for i, id := range p.ids {
		if !slices.Contains(p.key, i) {
			set += ", " + id + " = ?"
		}
	}
	return "UPDATE " + p.table + " SET " + set + p.whereKey()
}

// updateArgs appends the arguments of update, which are among those of insert
// and those of the key.
func (p plan) updateArgs(args, row, key []any) []any {
	args = append(args, row[1], row[2])
	for i, v := range row[3:] {
		if !slices.Contains(p.key, i) {
			args = append(args, v)
		}
	}
	return append(args, key...)
}

func (p plan) remove() string {
	return "DELETE FROM " + p.table + p.whereKey()
}

func (p plan) orderByKey() string { return " ORDER BY " + strings.Join(p.keyIDs(), ", ") }

// keyArgs appends the customer and the held values of a key.
func (p plan) keyArgs(args []any, customer string, key [][]byte) ([]any, error) {
	args = append(args, customer)
	for i, raw := range key {
		v, err := hold(p.keyTypes[i], raw)
		if err != nil {
			return args, err
		}
		args = append(args, v)
	}
	return args, nil
}

// rowArgs appends the arguments of insert.
func (p plan) rowArgs(args []any, customer string, version uint64, epoch int64, values [][]byte) ([]any, error) {
	args = append(args, customer, int64(version), epoch)
	for i, raw := range values {
		v, err := hold(p.schema.Columns[i].Type, raw)
		if err != nil {
			return args, err
		}
		args = append(args, v)
	}
	return args, nil
}

func places(n int) string { return strings.Repeat(", ?", n)[2:] }

// statements prepares texts for the length of a transaction.
func statements(ctx context.Context, tx *sql.Tx, texts ...string) ([]*sql.Stmt, error) {
	all := make([]*sql.Stmt, 0, len(texts))
	for _, text := range texts {
		st, err := tx.PrepareContext(ctx, text) //nolint:sqlclosecheck // it is closed with the transaction
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, nil
}
