package differ

import "tidemark/differ/summary"

// Weaken leaves the hashes of rows only so many bits.
func (o *TreeOptions) Weaken(bits int) { o.weak = bits }

// SaltWith takes salts from a function instead of chance.
func (o *TreeOptions) SaltWith(salt func() summary.Salt) { o.salt = salt }
