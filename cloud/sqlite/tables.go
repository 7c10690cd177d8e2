package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"tidemark/cloud/dataset"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// held is what the file says of one customer's table.
type held struct {
	state  ledger.State
	schema wire.Schema
	set    dataset.Dataset
	secret summary.Secret
	mark   sums.Mark
}

// load reads what the file says of a table; a problem NotFound when the
// customer has not registered it.
func load(ctx context.Context, tx *sql.Tx, customer, table string) (h held, err error) {
	var state, schema, set, secret, mark []byte
	err = tx.QueryRowContext(ctx, "SELECT t.state, t.schema, d.body, t.secret, t.mark FROM tables t JOIN datasets d ON d.name = t.name WHERE t.customer = ? AND t.name = ?",
		customer, table).Scan(&state, &schema, &set, &secret, &mark)
	if errors.Is(err, sql.ErrNoRows) {
		return held{}, wire.NewProblem(wire.NotFound, "table "+table+" is not registered", "Register its schema first.")
	}
	if err != nil {
		return held{}, err
	}
	if copy(h.secret[:], secret) != len(h.secret) {
		return held{}, errors.New("a secret is too short")
	}
	return h, errors.Join(json.Unmarshal(state, &h.state), json.Unmarshal(schema, &h.schema), json.Unmarshal(set, &h.set), json.Unmarshal(mark, &h.mark))
}

func saveState(ctx context.Context, tx *sql.Tx, customer, table string, s ledger.State, m sums.Mark) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := saveMark(ctx, tx, customer, table, m); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE tables SET state = ? WHERE customer = ? AND name = ?", string(body), customer, table)
	return errors.Join(err, otherToken(ctx, tx, customer))
}

// saveMark stores what is no part of the version.
func saveMark(ctx context.Context, tx *sql.Tx, customer, table string, m sums.Mark) error {
	mark, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE tables SET mark = ? WHERE customer = ? AND name = ?", string(mark), customer, table)
	return err
}

// otherToken goes with every change of a version.
func otherToken(ctx context.Context, tx *sql.Tx, customer string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO tokens (customer, token) VALUES (?, lower(hex(randomblob(16))))
		ON CONFLICT (customer) DO UPDATE SET token = excluded.token`, customer)
	return err
}

// VersionsToken implements cloud.Tables.
func (s *Store) VersionsToken(ctx context.Context, customer string) (token string, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT token FROM tokens WHERE customer = ?", customer).Scan(&token)
	if errors.Is(err, sql.ErrNoRows) {
		return "none", nil
	}
	return token, available(err)
}

// answer is what the API says of the table.
func (h *held) answer(table string) (wire.Table, error) {
	secret, err := h.secret.MarshalText()
	return wire.Table{Name: table, Version: h.state.Version, Schema: h.schema, Secret: string(secret)}, err
}

// Versions implements cloud.Tables.
func (s *Store) Versions(ctx context.Context, customer string) (wire.Versions, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT name, state FROM tables WHERE customer = ?", customer)
	if err != nil {
		return wire.Versions{}, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	v := wire.Versions{Tables: make(map[string]wire.Version)}
	for rows.Next() {
		var name string
		var body []byte
		var state ledger.State
		if err := rows.Scan(&name, &body); err != nil {
			return wire.Versions{}, err
		}
		if err := json.Unmarshal(body, &state); err != nil {
			return wire.Versions{}, err
		}
		v.Tables[name] = state.Version
	}
	return v, available(rows.Err())
}

// Table implements cloud.Tables.
func (s *Store) Table(ctx context.Context, customer, table string) (t wire.Table, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		t, err = h.answer(table)
		return err
	})
	return t, err
}

// Release implements cloud.Tables.
func (s *Store) Release(ctx context.Context, customer, table string) (w wire.Writer, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		w, err = acts{tx}.Release(ctx, customer, table)
		return err
	})
	return w, err
}

// Release implements cloud.Acts.
func (a acts) Release(ctx context.Context, customer, table string) (w wire.Writer, err error) {
	h, err := load(ctx, a.tx, customer, table)
	if err != nil {
		return w, err
	}
	return h.state.Version.Writer, saveState(ctx, a.tx, customer, table, h.state.Release(), h.mark)
}
