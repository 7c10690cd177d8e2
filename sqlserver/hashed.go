package sqlserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"tidemark/internal/wire"
)

// MinHashKey is how many bytes the key of hashed columns has at least.
const MinHashKey = 16

// hashedType is what a hashed column is in the cloud: 64 hexadecimal digits.
var hashedType = wire.Type{Kind: wire.Char, Len: 2 * sha256.Size}

// Hashed returns the table with the columns of these names and patterns hashed: in place of a value
// goes HMAC-SHA-256 of its wire form under key, so that equal values stay
// equal, in all tables with that key, and none can be read or, without the
// key, guessed. NULL stays NULL. A name that means no column, or one of the key,
// is an error.
func (t *Table) Hashed(names []string, key string) (*Table, error) {
	if len(names) == 0 || t.Refused != "" {
		return t, nil
	}
	if len(key) < MinHashKey {
		return nil, fmt.Errorf("the key of hashed columns has less than %d bytes", MinHashKey)
	}
	hashed := *t
	hashed.Columns = slices.Clone(t.Columns)
	for _, name := range names {
		meant := t.meant(name)
		if len(meant) == 0 {
			return nil, fmt.Errorf("table %s has no column %q to hash", t, name)
		}
		for _, i := range meant {
			if t.inKey(i) {
				return nil, fmt.Errorf("column %q of table %s is part of its key and cannot be hashed", t.Columns[i].Name, t)
			}
			hashed.Columns[i].hash = key
		}
	}
	return &hashed, nil
}

// wireType is the column's type in the cloud.
func (c *Column) wireType() wire.Type {
	if c.hash != "" {
		return hashedType
	}
	return c.Type
}

var errNoValue = errors.New("there is no value to hash")

// appendHashed puts the hash of the value that begins at start in its place.
func (c *Column) appendHashed(line []byte, start int) ([]byte, error) {
	value := line[start:]
	switch string(value) {
	case "":
		return line, errNoValue
	case "null":
		return line, nil
	}
	mac := hmac.New(sha256.New, []byte(c.hash))
	mac.Write(value)
	var sum [sha256.Size]byte
	line = append(line[:start], '"')
	line = hex.AppendEncode(line, mac.Sum(sum[:0]))
	return append(line, '"'), nil
}
