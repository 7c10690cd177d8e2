package engine

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"tidemark/internal/mssqltest/tds"
)

var pow10 = func() (p [78]*big.Int) {
	p[0] = big.NewInt(1)
	for i := 1; i < len(p); i++ {
		p[i] = new(big.Int).Mul(p[i-1], big.NewInt(10))
	}
	return p
}()

// rescale brings an exact number to another scale, half away from zero.
func rescale(v value, from, to int) value {
	switch {
	case from == to:
		return v
	case to > from:
		return decValue(new(big.Int).Mul(v.dec(), pow10[to-from]))
	}
	return decValue(divRound(v.dec(), pow10[from-to]))
}

func divRound(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(d) >= 0 {
		if n.Sign()*d.Sign() < 0 {
			return q.Sub(q, pow10[0])
		}
		return q.Add(q, pow10[0])
	}
	return q
}

// fitsDec tells whether v is within the range of an exact type.
func fitsDec(v value, t tds.Type) bool {
	switch t.Kind {
	case tds.Money:
		return v.x == nil
	case tds.SmallMoney:
		return v.x == nil && v.i >= math.MinInt32 && v.i <= math.MaxInt32
	}
	return v.dec().CmpAbs(pow10[t.Prec]) < 0
}

func fitsInt(i int64, k tds.Kind) bool {
	switch k {
	case tds.TinyInt:
		return i >= 0 && i <= 255
	case tds.SmallInt:
		return i == int64(int16(i))
	case tds.Int:
		return i == int64(int32(i))
	}
	return true
}

// decimalString writes an exact number with all digits of its scale.
func decimalString(v value, scale int) string {
	n := v.dec()
	s := new(big.Int).Abs(n).String()
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale-len(s)+1) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if n.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// parseDecimal reads digits with an optional sign and point, and gives the
// scale in which they were written.
func parseDecimal(s string) (v value, scale int, ok bool) {
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	whole, frac, _ := strings.Cut(digits, ".")
	if whole+frac == "" || len(frac) > 40 {
		return v, 0, false
	}
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return v, 0, false
		}
	}
	n, _ := new(big.Int).SetString(whole+frac, 10)
	if s[0] == '-' {
		n.Neg(n)
	}
	return decValue(n), len(frac), true
}

func decToFloat(v value, scale int) float64 {
	f, _ := strconv.ParseFloat(decimalString(v, scale), 64)
	return f
}

func floatToDec(f float64, scale int) (value, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 1e39 {
		return value{}, false
	}
	// 17 significant digits are what SQL Server carries over.
	v, s, ok := parseDecimal(strconv.FormatFloat(f, 'f', min(scale+2, 40), 64))
	if !ok {
		return v, false
	}
	return rescale(v, s, scale), true
}

// floatString is the text of a float in a style of CONVERT.
func floatString(f float64, t tds.Type, style int) string {
	bits := 64
	if t.Kind == tds.Real {
		bits = 32
	}
	switch style {
	case 1:
		return sqlExp(strconv.FormatFloat(f, 'e', 7, bits))
	case 2:
		return sqlExp(strconv.FormatFloat(f, 'e', 15, bits))
	case 3: // lossless
		prec := 16
		if bits == 32 {
			prec = 8
		}
		return sqlExp(strconv.FormatFloat(f, 'e', prec, bits))
	}
	s := strconv.FormatFloat(f, 'g', 6, bits)
	if e := strings.IndexByte(s, 'e'); e >= 0 {
		return sqlExp(s)
	}
	return s
}

// sqlExp gives an exponent the three digits that SQL Server writes.
func sqlExp(s string) string {
	e := strings.IndexByte(s, 'e')
	if e < 0 {
		return s
	}
	digits := s[e+2:]
	return s[:e+2] + strings.Repeat("0", max(0, 3-len(digits))) + digits
}
