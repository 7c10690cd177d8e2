package accesslog

import (
	"bytes"
	"errors"
)

// maxFields bounds a line. The longest format has 33.
const maxFields = 64

var (
	errQuote = errors.New("a quoted field does not end")
	errMany  = errors.New("it has over 64 fields")
	errBlank = errors.New("two fields are not separated by one space")
)

// split appends the fields of a line to out, without the quotes around them.
func split(line []byte, out [][]byte) ([][]byte, error) {
	for {
		if len(out) == maxFields {
			return out, errMany
		}
		var f []byte
		if len(line) > 0 && line[0] == '"' {
			whole, list := line, false
			end := closing(line)
			if end < 0 {
				return out, errQuote
			}
			for bytes.HasPrefix(line[end+1:], []byte(`,"`)) { // a list of quoted parts is one field
				next := closing(line[end+2:])
				if next < 0 {
					return out, errQuote
				}
				end += 2 + next
				list = true
			}
			if f, line = line[1:end], line[end+1:]; list {
				f = whole[:end+1]
			}
			if len(line) > 0 && line[0] != ' ' {
				return out, errBlank
			}
		} else {
			end := bytes.IndexByte(line, ' ')
			if end < 0 {
				end = len(line)
			}
			if f, line = line[:end], line[end:]; len(f) == 0 {
				return out, errBlank
			}
		}
		out = append(out, f)
		if len(line) == 0 {
			return out, nil
		}
		line = line[1:]
	}
}

// closing returns the place of the quote that ends the field which begins
// with line[0]; -1 without one.
func closing(line []byte) int {
	for from := 1; ; {
		i := bytes.IndexByte(line[from:], '"')
		if i < 0 {
			return -1
		}
		i += from
		slashes := 0
		for line[i-1-slashes] == '\\' { // ends at the quote that begins the field
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		from = i + 1
	}
}
