package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Share of the customers, in hundredths of a percent: 0 to All.
type Share int

// All is every customer.
const All Share = 100_00

// ParseShare reads "1%", "0.25%", "100" (percent) or "all".
func ParseShare(s string) (Share, error) {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%"))
	if strings.EqualFold(text, "all") {
		return All, nil
	}
	percent, err := strconv.ParseFloat(text, 64)
	share := Share(percent*100 + 0.5)
	if err != nil || !(percent >= 0 && percent <= 100) || percent > 0 && share == 0 {
		return 0, fmt.Errorf("%q is no share: it is 0%% to 100%%, in steps of 0.01%%", s)
	}
	return share, nil
}

// String is the form that ParseShare reads.
func (s Share) String() string { return strconv.FormatFloat(float64(s)/100, 'f', -1, 64) + "%" }

// MarshalText implements encoding.TextMarshaler.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Share) UnmarshalText(b []byte) (err error) {
	*s, err = ParseShare(string(b))
	return err
}

// Has tells whether a customer is in the share. Whoever is in a share is in
// every larger one of the same seed.
func (s Share) Has(seed, customer string) bool {
	if s <= 0 || s >= All {
		return s >= All
	}
	h := sha256.Sum256([]byte(seed + "\x00" + customer))
	// The share of the hashes below a bound, exact to 2^-64.
	return binary.BigEndian.Uint64(h[:])/((1<<64-1)/uint64(All)+1) < uint64(s)
}
