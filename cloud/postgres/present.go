package postgres

import (
	"context"
	"slices"
	"strings"
)

// presentStep is how many keys are looked up in one round trip.
const presentStep = 500

// findPresent sets Present in the refused rows whose keys the table holds.
func (a *application) findPresent(ctx context.Context, rows []refused) error {
	sql := "SELECT EXISTS (SELECT FROM " + a.p.target() + " t WHERE t.customer_id = $1 AND " + a.p.keyEquals(2) + ")"
	for part := range slices.Chunk(rows, presentStep) {
		var lookups []statement
		for i := range part {
			r := &part[i]
			if r.key == nil {
				continue
			}
			args, err := a.p.keyArgs([]any{a.b.Customer}, r.key)
			if err != nil {
				return err
			}
			lookups = append(lookups, statement{sql: sql, args: args, scan: []any{&r.Present}})
		}
		if err := a.c.pipeline(ctx, lookups...); err != nil {
			return err
		}
	}
	return nil
}

// keyEquals compares the key's columns with parameters from $first on.
func (p *plan) keyEquals(first int) string {
	parts := make([]string, len(p.key))
	for i, c := range p.key {
		parts[i] = "t." + c.id + " = " + c.param(first+i)
	}
	return strings.Join(parts, " AND ")
}

// param is a parameter, sent as text, as a value of the column.
func (c column) param(n int) string { return param(n) + "::text::" + c.pgType }

// keyArgs appends the text of a key's values to args.
func (p *plan) keyArgs(args []any, key [][]byte) ([]any, error) {
	for i, raw := range key {
		text, err := appendText(nil, p.key[i].form, raw)
		if err != nil {
			return nil, err
		}
		args = append(args, string(text))
	}
	return args, nil
}
