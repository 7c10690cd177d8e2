package tds

// Data type tokens of MS-TDS 2.2.5.4, as far as the stand-in sends or reads
// them.
const (
	nullToken           = 0x1F
	int1Token           = 0x30
	bitToken            = 0x32
	int2Token           = 0x34
	int4Token           = 0x38
	datetim4Token       = 0x3A
	flt4Token           = 0x3B
	moneyToken          = 0x3C
	datetimeToken       = 0x3D
	flt8Token           = 0x3E
	money4Token         = 0x7A
	int8Token           = 0x7F
	guidToken           = 0x24
	intnToken           = 0x26
	dateToken           = 0x28
	timeToken           = 0x29
	datetime2Token      = 0x2A
	datetimeoffsetToken = 0x2B
	decimalToken        = 0x37
	numericToken        = 0x3F
	bitnToken           = 0x68
	decimalnToken       = 0x6A
	numericnToken       = 0x6C
	fltnToken           = 0x6D
	moneynToken         = 0x6E
	datetimnToken       = 0x6F
	bigvarbinaryToken   = 0xA5
	bigvarcharToken     = 0xA7
	bigbinaryToken      = 0xAD
	bigcharToken        = 0xAF
	nvarcharToken       = 0xE7
	ncharToken          = 0xEF
	xmlToken            = 0xF1
	udtToken            = 0xF0
	textToken           = 0x23
	imageToken          = 0x22
	ntextToken          = 0x63
	variantToken        = 0x62
)

// tokens gives for every kind its token in the nullable form and, where the
// type has one, the length of its values there.
var tokens = [...]struct{ nullable, size byte }{
	Bit: {bitnToken, 1}, TinyInt: {intnToken, 1}, SmallInt: {intnToken, 2}, Int: {intnToken, 4}, BigInt: {intnToken, 8},
	Real: {fltnToken, 4}, Float: {fltnToken, 8}, SmallMoney: {moneynToken, 4}, Money: {moneynToken, 8},
	Decimal: {decimalnToken, 0}, Date: {dateToken, 0}, Time: {timeToken, 0},
	SmallDateTime: {datetimnToken, 4}, DateTime: {datetimnToken, 8},
	DateTime2: {datetime2Token, 0}, DateTimeOffset: {datetimeoffsetToken, 0},
	Char: {bigcharToken, 0}, VarChar: {bigvarcharToken, 0}, NChar: {ncharToken, 0}, NVarChar: {nvarcharToken, 0},
	Binary: {bigbinaryToken, 0}, VarBinary: {bigvarbinaryToken, 0}, UniqueIdentifier: {guidToken, 16},
	Text: {textToken, 0}, NText: {ntextToken, 0}, Image: {imageToken, 0}, XML: {xmlToken, 0}, UDT: {udtToken, 0},
	Variant: {variantToken, 0}, RowVersion: {bigbinaryToken, 0},
}

// fixedToken is the token of a type inside a sql_variant: the one that is not
// nullable, where the type has two.
func fixedToken(t Type) byte {
	switch t.Kind {
	case Bit:
		return bitToken
	case TinyInt:
		return int1Token
	case SmallInt:
		return int2Token
	case Int:
		return int4Token
	case BigInt:
		return int8Token
	case Real:
		return flt4Token
	case Float:
		return flt8Token
	case SmallMoney:
		return money4Token
	case Money:
		return moneyToken
	case SmallDateTime:
		return datetim4Token
	case DateTime:
		return datetimeToken
	}
	return tokens[t.Kind].nullable
}

// fixedSize is the length of the values of a fixed token, 0 for all others.
func fixedSize(token byte) int {
	switch token {
	case int1Token, bitToken:
		return 1
	case int2Token:
		return 2
	case int4Token, datetim4Token, flt4Token, money4Token:
		return 4
	case int8Token, datetimeToken, flt8Token, moneyToken:
		return 8
	}
	return 0
}

// kindOfToken is the kind of a token; size is the length that tells the
// nullable types of several lengths apart. Unknown pairs are 0.
func kindOfToken(token byte, size int) Kind {
	switch token {
	case decimalToken, numericToken, numericnToken:
		return Decimal
	}
	for k := Bit; k < RowVersion; k++ {
		t := tokens[k]
		if n := fixedSize(token); n > 0 && fixedToken(Type{Kind: k}) == token {
			return k
		} else if n == 0 && t.nullable == token && (t.size == 0 || int(t.size) == size || token == guidToken) {
			return k
		}
	}
	return 0
}
