package sums

// Limit bounds how many leaves a Builder holds.
func Limit(b *Builder, cells int) { b.limit = cells }
