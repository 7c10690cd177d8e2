package config

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// A TableName names a table at its source. In the file it is "orders"
// (schema dbo), "sales.orders", or with brackets as SQL Server writes names
// that hold dots or blanks: "[sales].[order details]".
type TableName struct{ Schema, Name string }

// String returns schema.table, with brackets only where they are needed.
func (n TableName) String() string { return quoteName(n.Schema) + "." + quoteName(n.Name) }

func (*TableName) expected() string {
	return `a table such as dbo.orders or "[sales].[order details]"`
}

func quoteName(s string) string {
	if strings.ContainsAny(s, ".[] \"*?%") {
		return "[" + strings.ReplaceAll(s, "]", "]]") + "]"
	}
	return s
}

func (n *TableName) parse(text string) error {
	var parts []string
	for rest, more := text, true; more; {
		var part string
		var err error
		if part, rest, more, err = cutName(rest); err != nil {
			return err
		}
		parts = append(parts, part)
	}
	switch len(parts) {
	case 1:
		*n = TableName{"dbo", parts[0]}
	case 2:
		*n = TableName{parts[0], parts[1]}
	default:
		return errors.New("a table has a schema and a name; the database belongs to the source")
	}
	return nil
}

// cutName takes one name from the head of text; more tells whether a dot and
// another name follow.
func cutName(text string) (part, rest string, more bool, err error) {
	if after, ok := strings.CutPrefix(text, "["); ok {
		var name strings.Builder
		for {
			before, tail, found := strings.Cut(after, "]")
			if !found {
				return "", "", false, errors.New(`a bracket is not closed`)
			}
			name.WriteString(before)
			if after, found = strings.CutPrefix(tail, "]"); !found {
				part, rest = name.String(), tail
				break
			}
			name.WriteByte(']')
		}
	} else if i := strings.IndexByte(text, '.'); i >= 0 {
		part, rest = text[:i], text[i:]
	} else {
		part = text
	}
	if rest != "" {
		if rest, more = strings.CutPrefix(rest, "."); !more {
			return "", "", false, errors.New("something follows the closing bracket")
		}
	}
	switch {
	case strings.TrimSpace(part) == "":
		return "", "", false, errors.New("a part of the name is empty")
	case utf8.RuneCountInString(part) > 128:
		return "", "", false, errors.New("names have at most 128 characters")
	case text[0] != '[' && strings.ContainsAny(part, "*?%"):
		return "", "", false, errors.New("patterns are written with * and ?; in brackets a name may hold anything")
	}
	return part, rest, more, nil
}
