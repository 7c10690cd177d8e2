//go:build linux

package main

import (
	"strconv"
	"strings"

	"tidemark/cloud"
	"tidemark/internal/plaintext"
)

// cloudText writes a row of the operator's export.
func (t table) cloudText(in cloud.Row) (key, row string, err error) {
	values := make([]string, 0, len(in.Values)+1)
	for _, v := range in.Values {
		text, err := plaintext.OfWire(v)
		if err != nil {
			return "", "", err
		}
		values = append(values, text)
	}
	key = t.keyText(values)
	if t.versioned {
		values = append(values, strconv.FormatUint(in.Version, 10))
	}
	return key, strings.Join(values, " "), nil
}
