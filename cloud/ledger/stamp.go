package ledger

import (
	"bytes"
	"errors"
	"strconv"
)

// AppendStamp appends the stamp of a row: its row version, and "@" and the
// number of its epoch when that is not the current one.
func AppendStamp(dst []byte, version uint64, epoch, current int64) []byte {
	dst = strconv.AppendUint(dst, version, 10)
	if epoch != current {
		dst = strconv.AppendInt(append(dst, '@'), epoch, 10)
	}
	return dst
}

var errStamp = errors.New(`a stamp is a row version in digits, and "@" and the number of an epoch behind it for a row of an earlier one`)

// ParseStamp reads a stamp in the one form that AppendStamp gives it. Epoch
// is 0 for the current one.
func ParseStamp(s []byte) (version uint64, epoch int64, err error) {
	digits, number, named := bytes.Cut(s, []byte("@"))
	version, err = parseUint(digits)
	if err != nil {
		return 0, 0, err
	}
	if named {
		n, err := parseUint(number)
		if err != nil || n == 0 || n > 1<<62 {
			return 0, 0, errStamp
		}
		epoch = int64(n)
	}
	return version, epoch, nil
}

func parseUint(s []byte) (uint64, error) {
	if len(s) == 0 || len(s) > 20 || len(s) > 1 && s[0] == '0' || s[0] == '+' {
		return 0, errStamp
	}
	n, err := strconv.ParseUint(string(s), 10, 64)
	if err != nil {
		return 0, errStamp
	}
	return n, nil
}
