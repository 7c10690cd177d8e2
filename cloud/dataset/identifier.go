package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxIdentifier is the length of the longest identifier: that of Postgres
// (NAMEDATALEN - 1), which cuts longer ones without an error.
const MaxIdentifier = 63

// Identifiers that a column cannot have: our own, the system columns of
// Postgres (documentation, "System Columns"), and SQLite's names of the row ID.
var reserved = map[string]bool{
	"customer_id": true,
	"tableoid":    true, "xmin": true, "cmin": true, "xmax": true, "cmax": true, "ctid": true, "oid": true,
	"rowid": true, "_rowid_": true,
}

// Identifier returns the identifier of a name: see the package's text. It
// holds only a-z, 0-9 and underscores; quote it all the same, it can be a
// keyword. Taken tells which identifiers others have.
func Identifier(name string, taken func(string) bool) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r + ('a' - 'A'))
		default:
			b.WriteByte('_')
		}
	}
	id := b.String()
	if len(id) <= MaxIdentifier && !reserved[id] && !strings.HasPrefix(id, "_tm_") && id != "" && !taken(id) {
		return id
	}
	sum := sha256.Sum256([]byte(name))
	suffix := "_" + hex.EncodeToString(sum[:4])
	return strings.TrimPrefix(id[:min(len(id), MaxIdentifier-len(suffix))]+suffix, "_tm")
}
