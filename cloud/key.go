package cloud

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"
)

// keyPrefix makes a key known to scanners for secrets that leaked.
const keyPrefix = "tmk_"

// NewKey returns a key that opens a customer, and what the store keeps of it.
// Its form is tmk_CUSTOMER_SECRET; the secret has 130 random bits. It is shown
// once and cannot be had again.
func NewKey(customer string, now time.Time) (secret string, key Key) {
	secret = keyPrefix + customer + "_" + strings.ToLower(rand.Text())
	return secret, Key{Hash: sha256.Sum256([]byte(secret)), Created: now}
}

// keyCustomer returns the customer that a key says it opens, false when it is
// no key at all. Nothing is proved by that.
func keyCustomer(secret string) (string, bool) {
	rest, ok := strings.CutPrefix(secret, keyPrefix)
	i := strings.LastIndexByte(rest, '_')
	if !ok || i < 0 || len(secret) > 200 || CheckCustomer(rest[:i]) != nil {
		return "", false
	}
	return rest[:i], true
}

// opens tells whether a secret is one of keys, in a time that does not depend
// on which or on how much of it is right.
func opens(secret string, keys []Key, now time.Time) bool {
	hash := sha256.Sum256([]byte(secret))
	found := 0
	for _, k := range keys {
		same := subtle.ConstantTimeCompare(hash[:], k.Hash[:])
		if k.Expires.IsZero() || now.Before(k.Expires) {
			found |= same
		}
	}
	return found == 1
}
