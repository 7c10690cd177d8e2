package cloud

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTable is the length of the longest dataset name in bytes: three names of
// SQL Server with points between them fit, but for the longest in a script of
// many bytes a character.
const MaxTable = 512

// CheckCustomer reports what is wrong with a customer's ID, or nil: 1 to 63
// lower case letters, digits, '.', '_' and '-', the first a letter or digit.
func CheckCustomer(id string) error {
	bad := fmt.Errorf("customer %q: an id is 1 to 63 of a-z, 0-9, '.', '_' and '-', and begins with a letter or a digit", id)
	if id == "" || len(id) > 63 {
		return bad
	}
	for i, c := range []byte(id) {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return bad
		}
	}
	return nil
}

// CheckTable reports what is wrong with a dataset name, or nil: 1 to MaxTable
// bytes of printable UTF-8 and not "*", which in a policy means every table.
func CheckTable(name string) error {
	switch {
	case name == "" || len(name) > MaxTable:
		return fmt.Errorf("a table's name has 1 to %d bytes, not %d", MaxTable, len(name))
	case name == "*":
		return fmt.Errorf("a table cannot be named %q", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("table %q: a name is UTF-8 without control characters", name)
	}
	return nil
}
