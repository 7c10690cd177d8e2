package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Size is a number of bytes, written as 4096, 512KiB, 8MiB or 1.5GiB. KB, MB
// and GB are powers of 1000; the B may be left out.
type Size int64

// Units of a Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var sizeUnits = map[string]Size{
	"": 1, "b": 1,
	"k": 1e3, "kb": 1e3, "ki": KiB, "kib": KiB,
	"m": 1e6, "mb": 1e6, "mi": MiB, "mib": MiB,
	"g": 1e9, "gb": 1e9, "gi": GiB, "gib": GiB,
}

var errSize = errors.New("not a size")

func parseSize(text string) (Size, error) {
	end := strings.LastIndexAny(text, "0123456789.") + 1
	n, err := strconv.ParseFloat(text[:end], 64)
	unit, ok := sizeUnits[strings.ToLower(strings.TrimSpace(text[end:]))]
	if err != nil || !ok || strings.Trim(text[:end], "0123456789.") != "" || n*float64(unit) > math.MaxInt64/2 {
		return 0, errSize
	}
	return Size(n * float64(unit)), nil
}

// String writes the size in the largest unit that loses nothing.
func (s Size) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{GiB, "GiB"}, {MiB, "MiB"}, {KiB, "KiB"}} {
		if s != 0 && s%u.size == 0 {
			return fmt.Sprintf("%d%s", s/u.size, u.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func (s *Size) parse(text string) (err error) {
	*s, err = parseSize(text)
	return err
}

func (*Size) expected() string { return `a size such as 4096, 512KiB or 8MiB` }
