package dataset

import "tidemark/internal/wire"

// Widen returns the least type that holds every value of both, so that the
// value comes back unchanged and equal values stay equal; false when there is
// none. It is symmetric:
//
//	tinyint < smallint < int < bigint        real < float
//	smallmoney < money                       decimal: most digits before and behind the point, within 38
//	smalldatetime < datetime < datetime2(3)  smalldatetime < datetime2(any)
//	time, datetime2, datetimeoffset: the larger scale
//	char < varchar < nvarchar, char < nchar < nvarchar: the longer, (max) beyond 8,000 and 4,000
//	binary < varbinary: the longer
//
// All other types go only with themselves.
func Widen(a, b wire.Type) (wire.Type, bool) {
	if a == b {
		return a, true
	}
	if a.Kind > b.Kind {
		a, b = b, a
	}
	switch {
	case in(a, wire.TinyInt, wire.BigInt) && in(b, wire.TinyInt, wire.BigInt),
		in(a, wire.Real, wire.Float) && in(b, wire.Real, wire.Float),
		in(a, wire.SmallMoney, wire.Money) && in(b, wire.SmallMoney, wire.Money):
		return b, true
	case a.Kind == wire.Decimal && b.Kind == wire.Decimal:
		whole, scale := max(a.Precision-a.Scale, b.Precision-b.Scale), max(a.Scale, b.Scale)
		return wire.Type{Kind: wire.Decimal, Precision: whole + scale, Scale: scale}, whole+scale <= 38
	case in(a, wire.SmallDateTime, wire.DateTime2) && in(b, wire.SmallDateTime, wire.DateTime2),
		a.Kind == b.Kind && in(a, wire.Time, wire.DateTimeOffset):
		b.Scale = uint8(max(a.FractionDigits(), b.FractionDigits()))
		if b.Kind == wire.DateTime {
			b.Scale = 0 // it has none to declare
		}
		return b, true
	case in(a, wire.Char, wire.NVarChar) && in(b, wire.Char, wire.NVarChar):
		return widenText(a, b), true
	case in(a, wire.Binary, wire.VarBinary) && in(b, wire.Binary, wire.VarBinary):
		b.Len = longer(a.Len, b.Len, 8000)
		return b, true
	}
	return wire.Type{}, false
}

func in(t wire.Type, low, high wire.Kind) bool { return t.Kind >= low && t.Kind <= high }

func widenText(a, b wire.Type) wire.Type {
	if a.Kind == wire.VarChar && b.Kind == wire.NChar {
		b.Kind = wire.NVarChar
	}
	most := 8000
	if b.Kind == wire.NChar || b.Kind == wire.NVarChar {
		most = 4000
	}
	b.Len = longer(a.Len, b.Len, most)
	if b.Len == wire.MaxLen && b.Kind == wire.NChar {
		b.Kind = wire.NVarChar
	}
	return b
}

func longer(a, b, most int) int {
	if n := max(a, b); a != wire.MaxLen && b != wire.MaxLen && n <= most {
		return n
	}
	return wire.MaxLen
}
