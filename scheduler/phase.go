package scheduler

import (
	"crypto/sha256"
	"encoding/binary"
)

// Phased returns the limits with caps of a table's own, so that tables of a
// site, and sites of a fleet, that were skipped together do not come to their
// caps together: up to half of MaxSkips less and up to a quarter of ForcedSkips
// less, never more. The same seed always gives the same.
func (l Limits) Phased(seed string) Limits {
	sum := sha256.Sum256([]byte(seed))
	l.MaxSkips = phased(l.MaxSkips, 2, binary.BigEndian.Uint32(sum[:]))
	l.ForcedSkips = phased(l.ForcedSkips, 4, binary.BigEndian.Uint32(sum[4:]))
	return l
}

func phased(n, share int, hash uint32) int {
	return n - int(uint64(hash)*uint64(n/share+1)>>32)
}
