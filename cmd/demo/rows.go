package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"tidemark/cloud"
	"tidemark/internal/plaintext"
	"tidemark/internal/wire"
)

const rowVersion = "row version"

// sourceRows reads a table with a plain SELECT.
func sourceRows(ctx context.Context, db *sql.DB, table string, s wire.Schema) (map[string]row, error) {
	var names []string
	for _, c := range s.Columns {
		names = append(names, "["+c.Name+"]")
	}
	if s.Versioning == wire.ByRowVersion {
		names = append(names, "rv")
	}
	all := map[string]row{}
	err := plaintext.EachRow(ctx, db, "SELECT "+strings.Join(names, ", ")+" FROM dbo."+table, s.Versioning == wire.ByRowVersion, func(texts []string) {
		r := make(row, len(texts))
		for i, text := range texts {
			name := rowVersion
			if i < len(s.Columns) {
				name = s.Columns[i].Name
			}
			r[i] = field{name, text}
		}
		all[keyOf(r, s)] = r
	})
	return all, err
}

// cloudRows reads the operator's export.
func cloudRows(ctx context.Context, store cloud.Store, table string, s wire.Schema) (map[string]row, error) {
	all := map[string]row{}
	err := store.Rows(ctx, customer, table, func(in cloud.Row) error {
		var r row
		for i, v := range in.Values {
			text, err := plaintext.OfWire(v)
			if err != nil {
				return fmt.Errorf("column %s: %w", s.Columns[i].Name, err)
			}
			if s.Columns[i].Type.Kind == wire.BigInt { // 64 bits are text in JSON
				text = strings.Trim(text, `"`)
			}
			r = append(r, field{s.Columns[i].Name, text})
		}
		if s.Versioning == wire.ByRowVersion {
			r = append(r, field{rowVersion, strconv.FormatUint(in.Version, 10)})
		}
		all[keyOf(r, s)] = r
		return nil
	})
	return all, err
}

// keyOf is the key's values, as text that sorts numbers too.
func keyOf(r row, s wire.Schema) string {
	var parts []string
	for _, i := range s.KeyIndexes() {
		parts = append(parts, r[i].value)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
