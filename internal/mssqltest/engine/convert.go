package engine

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"tidemark/internal/mssqltest/tds"
)

// convert brings a value from one type to another as CAST and CONVERT do:
// too long strings are cut, too large numbers are errors.
func convert(v value, from, to tds.Type, style int) (value, error) {
	if v.null || from == to {
		return v, nil
	}
	if from.Kind == tds.Variant && to.Kind != tds.Variant {
		x := v.x.(*variant)
		return convert(x.val, x.typ, to, style)
	}
	switch classOf(to.Kind) {
	case clInt:
		return toInt(v, from, to)
	case clDec:
		return toDec(v, from, to)
	case clFloat:
		return toFloat(v, from, to)
	case clTime:
		return toTime(v, from, to)
	case clStr:
		return toStr(v, from, to, style)
	case clBin:
		return toBin(v, from, to, style)
	case clGUID:
		return toGUID(v, from, to)
	}
	if from.Kind == tds.Variant {
		return v, nil
	}
	return value{x: &variant{from, v}}, nil
}

func errClash(from, to tds.Type) error {
	return errorf(529, "Explicit conversion from data type %s to %s is not allowed.", typeText(from), typeText(to))
}

func errOverflow(from, to tds.Type) error {
	what := typeText(from)
	if classOf(from.Kind) == clInt {
		what = "expression"
	}
	return errorf(8115, "Arithmetic overflow error converting %s to data type %s.", what, typeText(to))
}

func errConversion(from, to tds.Type) error {
	return errorf(8114, "Error converting data type %s to %s.", typeText(from), typeText(to))
}

func toInt(v value, from, to tds.Type) (value, error) {
	var n int64
	switch classOf(from.Kind) {
	case clInt:
		n = v.i
	case clDec:
		d := v.dec()
		if s := scaleOf(from); s > 0 {
			if from.Kind == tds.Decimal {
				d = decValue(d.Quo(d, pow10[s])).dec() // decimals are truncated, money is rounded
			} else {
				d = divRound(d, pow10[s])
			}
		}
		if !d.IsInt64() {
			return v, errOverflow(from, to)
		}
		n = d.Int64()
	case clFloat:
		if math.IsNaN(v.f) || math.Abs(v.f) >= 1<<63 {
			return v, errOverflow(from, to)
		}
		n = int64(v.f)
	case clStr:
		s := strings.TrimSpace(v.s)
		if to.Kind == tds.Bit {
			switch strings.ToLower(s) {
			case "true":
				return intValue(1), nil
			case "false":
				return intValue(0), nil
			}
		}
		if s == "" {
			return intValue(0), nil
		}
		var err error
		n, err = strconv.ParseInt(s, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && !fitsInt(n, to.Kind):
			if to.Kind == tds.Int {
				return v, errorf(248, "The conversion of the %s value '%s' overflowed an int column.", typeText(from), s)
			}
			return v, errOverflow(from, to)
		case err != nil && to.Kind == tds.BigInt:
			return v, errConversion(from, to)
		case err != nil:
			return v, errorf(245, "Conversion failed when converting the %s value '%s' to data type %s.", typeText(from), v.s, typeText(to))
		}
	case clBin: // the rightmost bytes count
		b := v.s
		size := infoOf(to).maxLen
		if len(b) > size {
			b = b[len(b)-size:]
		}
		for i := range len(b) {
			n = n<<8 | int64(b[i])
		}
		switch to.Kind {
		case tds.Int:
			n = int64(int32(n))
		case tds.SmallInt:
			n = int64(int16(n))
		}
	default:
		return v, errClash(from, to)
	}
	if to.Kind == tds.Bit {
		return bitValue(n != 0), nil
	}
	if !fitsInt(n, to.Kind) {
		return v, errOverflow(from, to)
	}
	return intValue(n), nil
}

func toDec(v value, from, to tds.Type) (value, error) {
	scale := scaleOf(to)
	var out value
	switch classOf(from.Kind) {
	case clInt:
		out = rescale(v, 0, scale)
	case clDec:
		out = rescale(v, scaleOf(from), scale)
	case clFloat:
		var ok bool
		if out, ok = floatToDec(v.f, scale); !ok {
			return v, errOverflow(from, to)
		}
	case clStr:
		n, s, ok := parseDecimal(strings.TrimSpace(v.s))
		if !ok {
			if to.Kind != tds.Decimal {
				return v, errorf(235, "Cannot convert a char value to money. The char value has incorrect syntax.")
			}
			return v, errConversion(from, to)
		}
		out = rescale(n, s, scale)
	case clBin:
		if to.Kind == tds.Decimal {
			return v, notKnown("the conversion of binary to decimal")
		}
		n, err := toInt(v, from, tds.Type{Kind: tds.BigInt})
		if err != nil {
			return v, err
		}
		out = n
	default:
		return v, errClash(from, to)
	}
	if !fitsDec(out, to) {
		return v, errOverflow(from, to)
	}
	return out, nil
}

func toFloat(v value, from, to tds.Type) (value, error) {
	var f float64
	switch classOf(from.Kind) {
	case clInt:
		f = float64(v.i)
	case clDec:
		f = decToFloat(v, scaleOf(from))
	case clFloat:
		f = v.f
	case clStr:
		s := strings.TrimSpace(v.s)
		var err error
		if s != "" {
			f, err = strconv.ParseFloat(s, 64)
		}
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xXpP_") {
			return v, errConversion(from, to)
		}
	default:
		return v, errClash(from, to)
	}
	if to.Kind == tds.Real {
		if math.Abs(f) > math.MaxFloat32 {
			return v, errOverflow(from, to)
		}
		f = float64(float32(f))
	}
	return floatValue(f), nil
}

func toTime(v value, from, to tds.Type) (value, error) {
	out := v
	switch classOf(from.Kind) {
	case clTime:
		switch {
		case from.Kind == tds.Date && to.Kind == tds.Time, from.Kind == tds.Time && to.Kind == tds.Date:
			return v, errClash(from, to)
		case from.Kind == tds.Time && to.Kind != tds.Time:
			out.i += minSmallDateTime // 1900-01-01
		case from.Kind == tds.DateTimeOffset && to.Kind != tds.DateTimeOffset:
			out = value{i: v.i + int64(v.off)*60*ticksPerSecond}
		}
	case clStr:
		n, off, _, ok := parseTime(v.s)
		if !ok {
			return v, errorf(241, "Conversion failed when converting date and/or time from character string.")
		}
		if to.Kind == tds.DateTimeOffset {
			out = value{i: n, off: int16(off)}
		} else {
			out = value{i: n + int64(off)*60*ticksPerSecond}
		}
	case clInt:
		if to.Kind != tds.DateTime && to.Kind != tds.SmallDateTime {
			return v, errClash(from, to)
		}
		out = value{i: minSmallDateTime + v.i*ticksPerDay}
	default:
		return v, errClash(from, to)
	}
	n, ok := roundTime(out.i, to)
	if !ok {
		return v, errorf(242, "The conversion of a %s data type to a %s data type resulted in an out-of-range value.", typeText(from), typeText(to))
	}
	return value{i: n, off: out.off}, nil
}
