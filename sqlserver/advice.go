package sqlserver

import (
	"fmt"
	"strings"
)

// IndexAdvice is the statement that makes deltas of the table read nothing
// but what has changed; "" where nothing is to be done. Tidemark never runs
// it.
func IndexAdvice(t *Table) string {
	if t.Refused != "" || t.RowVersion == "" || t.RowVersionIndexed {
		return ""
	}
	columns := []string{quote(t.RowVersion)}
	if !t.KeyClustered { // else the index ends with the key of itself
		for _, k := range t.Key {
			c := quote(t.Columns[k.Index].Name)
			if k.Desc {
				c += " DESC"
			}
			columns = append(columns, c)
		}
	}
	name := []rune("ix_" + t.Name + "_" + t.RowVersion)
	return fmt.Sprintf("CREATE NONCLUSTERED INDEX %s ON %s (%s);", quote(string(name[:min(len(name), 128)])), t.quoted(), strings.Join(columns, ", "))
}

// GrantAdvice is the statement that gives user, a user of the database, what
// Tidemark needs to read the table, and no more.
func GrantAdvice(user string, t *Table) string {
	return fmt.Sprintf("GRANT SELECT, VIEW DEFINITION ON %s TO %s;", t.quoted(), quote(user))
}
