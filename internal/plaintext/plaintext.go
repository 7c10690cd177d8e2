// Package plaintext writes the values of both sides as people do, so that rows
// can be compared. Each side has its own way there, which shares nothing with
// what the agent does to values.
package plaintext

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// OfDriver writes a value of the SQL Server driver, whose column has this type
// by sql.ColumnType's DatabaseTypeName.
func OfDriver(v any, typeName string) (string, error) {
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
		if typeName == "DECIMAL" || typeName == "MONEY" {
			return strconv.Quote(string(v)), nil
		}
		return strconv.Quote(base64.StdEncoding.EncodeToString(v)), nil
	}
	return "", fmt.Errorf("a value of %T (%s) is not known here", v, typeName)
}

// OfVersion writes a row version of the driver.
func OfVersion(v any) (string, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != 8 {
		return "", fmt.Errorf("%v is no row version", v)
	}
	return strconv.FormatUint(binary.BigEndian.Uint64(b), 10), nil
}

// OfWire writes a value of the operator's export, which is JSON.
func OfWire(v []byte) (string, error) {
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

// EachRow runs a query of SQL Server and writes the values of each row. The
// last column is a row version where versioned says so. Texts are row's own.
func EachRow(ctx context.Context, db *sql.DB, query string, versioned bool, row func(texts []string)) error {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }() // Err tells
	columns, err := found.ColumnTypes()
	if err != nil {
		return err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for found.Next() {
		if err := found.Scan(places...); err != nil {
			return err
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if versioned && i == len(values)-1 {
				texts[i], err = OfVersion(v)
			} else {
				texts[i], err = OfDriver(v, columns[i].DatabaseTypeName())
			}
			if err != nil {
				return fmt.Errorf("column %s: %w", columns[i].Name(), err)
			}
		}
		row(texts)
	}
	return found.Err()
}
