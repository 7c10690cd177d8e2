package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidemark/cloud"
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
	found, err := db.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM dbo."+table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	types, err := found.ColumnTypes()
	if err != nil {
		return nil, err
	}
	values, places := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		places[i] = &values[i]
	}
	all := map[string]row{}
	for found.Next() {
		if err := found.Scan(places...); err != nil {
			return nil, err
		}
		var r row
		for i, v := range values {
			name := rowVersion
			if i < len(s.Columns) {
				name = s.Columns[i].Name
			}
			text, err := sourceText(v, types[i].DatabaseTypeName(), name)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
			r = append(r, field{name, text})
		}
		all[keyOf(r, s)] = r
	}
	return all, found.Err()
}

// sourceText writes a value of the driver as people do. It shares nothing
// with what the agent does to it.
func sourceText(v any, typeName, name string) (string, error) {
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case bool, int64:
		return fmt.Sprint(v), nil
	case string:
		return strconv.Quote(v), nil
	case time.Time:
		if typeName == "DATE" {
			return strconv.Quote(v.Format(time.DateOnly)), nil
		}
		return strconv.Quote(v.Format("2006-01-02T15:04:05.000")), nil
	case []byte:
		switch {
		case name == rowVersion && len(v) == 8:
			return strconv.FormatUint(binary.BigEndian.Uint64(v), 10), nil
		case typeName == "DECIMAL" || typeName == "MONEY":
			return strconv.Quote(string(v)), nil
		}
		return strconv.Quote(base64.StdEncoding.EncodeToString(v)), nil
	}
	return "", fmt.Errorf("a value of %T (%s) is not known to the demo", v, typeName)
}

// cloudRows reads the operator's export.
func cloudRows(ctx context.Context, store cloud.Store, table string, s wire.Schema) (map[string]row, error) {
	all := map[string]row{}
	err := store.Rows(ctx, customer, table, func(in cloud.Row) error {
		var r row
		for i, v := range in.Values {
			text, err := cloudText(v)
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

// cloudText writes a value of JSON as people do.
func cloudText(v []byte) (string, error) {
	var text *string
	switch {
	case string(v) == "null":
		return "NULL", nil
	case len(v) > 0 && v[0] == '"':
		if err := json.Unmarshal(v, &text); err != nil {
			return "", err
		}
		return strconv.Quote(*text), nil
	}
	return string(v), nil
}

// keyOf is the key's values, as text that sorts numbers too.
func keyOf(r row, s wire.Schema) string {
	var parts []string
	for _, i := range s.KeyIndexes() {
		parts = append(parts, r[i].value)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
