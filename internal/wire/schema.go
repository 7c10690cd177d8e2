package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Bounds of a schema. SQL Server allows 1,024 columns in a table that is not
// wide, 32 key columns in an index, and 128 characters in a name.
const (
	MaxColumns    = 1024
	MaxKeyColumns = 32
	MaxName       = 128
)

// A Column is one column of a table as the source declares it.
type Column struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Nullable bool   `json:"nullable,omitempty"`
}

// Versioning says where the row versions of a table come from.
type Versioning string

// The two sources of row versions.
const (
	ByRowVersion Versioning = "rowversion" // the table's rowversion column
	ByContent    Versioning = "content"    // a hash of the row's content
)

// A Schema is what a table looks like on the wire: its columns in order, and
// its key as names of columns in key order. The rowversion column is not
// among the columns: every row line carries it in front.
type Schema struct {
	Columns    []Column   `json:"columns"`
	Key        []string   `json:"key"`
	Versioning Versioning `json:"versioning"`
}

// Check reports the first thing that is wrong with the schema, or nil.
func (s Schema) Check() error {
	if len(s.Columns) == 0 || len(s.Columns) > MaxColumns {
		return fmt.Errorf("a table has 1 to %d columns, not %d", MaxColumns, len(s.Columns))
	}
	byName := make(map[string]Column, len(s.Columns))
	for _, c := range s.Columns {
		if c.Name == "" || utf8.RuneCountInString(c.Name) > MaxName || !utf8.ValidString(c.Name) {
			return fmt.Errorf("column name %q: 1 to %d characters", c.Name, MaxName)
		}
		if c.Type.Kind == 0 {
			return fmt.Errorf("column %q has no type", c.Name)
		}
		if _, twice := byName[c.Name]; twice {
			return fmt.Errorf("column %q is named twice", c.Name)
		}
		byName[c.Name] = c
	}
	if len(s.Key) == 0 || len(s.Key) > MaxKeyColumns {
		return fmt.Errorf("a key has 1 to %d columns, not %d", MaxKeyColumns, len(s.Key))
	}
	seen := make(map[string]bool, len(s.Key))
	for _, k := range s.Key {
		c, ok := byName[k]
		switch {
		case !ok:
			return fmt.Errorf("key column %q is not among the columns", k)
		case seen[k]:
			return fmt.Errorf("key column %q is named twice", k)
		case c.Nullable:
			return fmt.Errorf("key column %q can be null", k)
		}
		seen[k] = true
	}
	if s.Versioning != ByRowVersion && s.Versioning != ByContent {
		return fmt.Errorf("versioning %q is neither %q nor %q", s.Versioning, ByRowVersion, ByContent)
	}
	return nil
}

// KeyIndexes returns the positions of the key's columns among Columns, in
// key order. The schema must have passed Check.
func (s Schema) KeyIndexes() []int {
	idx := make([]int, len(s.Key))
	for i, k := range s.Key {
		for j, c := range s.Columns {
			if c.Name == k {
				idx[i] = j
			}
		}
	}
	return idx
}

// KeyTypes returns the types of the key's columns, in key order.
func (s Schema) KeyTypes() []Type {
	types := make([]Type, 0, len(s.Key))
	for _, i := range s.KeyIndexes() {
		types = append(types, s.Columns[i].Type)
	}
	return types
}

// Fingerprint identifies the schema: 32 hexadecimal digits that change when
// anything in it does. Every batch names the one it was made for.
func (s Schema) Fingerprint() string {
	b, err := json.Marshal(s)
	if err != nil { // strings and numbers alone: cannot fail
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
