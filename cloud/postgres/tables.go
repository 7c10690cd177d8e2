package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/wire"
)

// Versions implements cloud.Tables.
func (s *Store) Versions(ctx context.Context, customer string) (wire.Versions, error) {
	return versionsOf(ctx, s.pool, customer)
}

func versionsOf(ctx context.Context, q querier, customer string) (wire.Versions, error) {
	all := wire.Versions{Tables: map[string]wire.Version{}}
	rows, err := q.Query(ctx, readVersions, customer)
	if err != nil {
		return all, unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var st state
		if err := rows.Scan(append([]any{&name}, st.columns()...)...); err != nil {
			return all, err
		}
		st.scanned()
		all.Tables[name] = st.Version
	}
	return all, unavailable(rows.Err())
}

// noVersions is the token of a customer that has registered no table.
const noVersions = "none"

// readToken reads one row, by the primary key.
const readToken = "SELECT token::text FROM tidemark.tokens WHERE customer = $1"

// VersionsToken implements cloud.Tables. Whatever writes a version writes the
// token with it, in (*state).write.
func (s *Store) VersionsToken(ctx context.Context, customer string) (token string, err error) {
	err = s.pool.QueryRow(ctx, readToken, customer).Scan(&token)
	if errors.Is(err, pgx.ErrNoRows) {
		return noVersions, nil
	}
	return token, unavailable(err)
}

// Table implements cloud.Tables.
func (s *Store) Table(ctx context.Context, customer, table string) (wire.Table, error) {
	var st state
	var document []byte
	err := s.pool.QueryRow(ctx, "SELECT "+versionColumns+`, s.document
		FROM tidemark.versions v JOIN tidemark.schemas s USING (customer, name) WHERE v.customer = $1 AND v.name = $2`, customer, table).
		Scan(append(st.columns(), &document)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return wire.Table{}, unregistered(table)
	}
	if err != nil {
		return wire.Table{}, unavailable(err)
	}
	st.scanned()
	t := st.answer(table)
	return t, json.Unmarshal(document, &t.Schema)
}

// answer is what the API says of a table, but for its schema.
func (s *state) answer(table string) wire.Table {
	return wire.Table{Name: table, Version: s.Version, Secret: hex.EncodeToString(s.secret[:])}
}

// Release implements cloud.Tables.
func (s *Store) Release(ctx context.Context, customer, table string) (was wire.Writer, err error) {
	err = s.act(ctx, func(a acts) error {
		was, err = a.Release(ctx, customer, table)
		return err
	})
	return was, err
}

// Release implements cloud.Acts.
func (a acts) Release(ctx context.Context, customer, table string) (was wire.Writer, err error) {
	st, err := a.state(ctx, lockState, customer, table)
	if err != nil {
		return was, err
	}
	was, st.State = st.Version.Writer, st.Release()
	return was, a.pipeline(ctx, st.write(customer, table))
}
