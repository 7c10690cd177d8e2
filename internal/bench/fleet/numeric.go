package main

import (
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// pgNumeric makes a numeric of the text of a decimal number.
func pgNumeric(text string) pgtype.Numeric {
	whole, fraction, _ := strings.Cut(text, ".")
	n, _ := new(big.Int).SetString(whole+fraction, 10) // digits alone
	return pgtype.Numeric{Int: n, Exp: int32(-len(fraction)), Valid: true}
}
