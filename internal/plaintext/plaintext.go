// Package plaintext writes the values of both sides as people do, so that rows
// can be compared. Each side has its own way there, which shares nothing with
// what the agent does to values.
package plaintext

import (
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
