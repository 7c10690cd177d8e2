//go:build linux

package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidemark/cloud"
)

// Rows of both sides are compared as text. Each side has its own way there,
// which shares nothing with what the agent does to values.

// sourceText writes a value of the driver.
func sourceText(v any, typeName string) (string, error) {
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

// versionText writes a row version of the driver.
func versionText(v any) (string, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != 8 {
		return "", fmt.Errorf("%v is no row version", v)
	}
	return strconv.FormatUint(binary.BigEndian.Uint64(b), 10), nil
}

// cloudText writes a row of the operator's export.
func (t table) cloudText(in cloud.Row) (key, row string, err error) {
	values := make([]string, 0, len(in.Values)+1)
	for _, v := range in.Values {
		text := string(v)
		switch {
		case text == "null":
			text = "NULL"
		case strings.HasPrefix(text, `"`):
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				return "", "", err
			}
			text = strconv.Quote(s)
		}
		values = append(values, text)
	}
	key = t.keyText(values)
	if t.versioned {
		values = append(values, strconv.FormatUint(in.Version, 10))
	}
	return key, strings.Join(values, " "), nil
}
