package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"
)

// Operators is the part of a Store that knows who may look at the fleet.
type Operators interface {
	// AddOperator adds an operator with its first key; ErrExists when the name
	// is taken.
	AddOperator(ctx context.Context, first OperatorKey) error
	// OperatorKeys returns the keys of all operators, by name and creation,
	// expired ones too.
	OperatorKeys(ctx context.Context) ([]OperatorKey, error)
	// RotateOperator adds a key and lets those of the same name expire at until,
	// unless they expire before. Keys expired before now are removed. A problem
	// NotFound when there is no such operator.
	RotateOperator(ctx context.Context, next OperatorKey, now, until time.Time) error
	// RemoveOperator removes an operator with all keys; a problem NotFound when
	// there is none.
	RemoveOperator(ctx context.Context, name string) error
}

// An OperatorKey opens the fleet page to one operator, and nothing of the API.
type OperatorKey struct {
	Name string // has passed CheckOperator
	Key
}

// operatorPrefix is not keyPrefix: by its form alone a key of one kind is never
// one of the other.
const operatorPrefix = "tmo_"

// CheckOperator reports what is wrong with the name of an operator, or nil. It
// follows the rules of customers' IDs.
func CheckOperator(name string) error { return CheckName("operator", name) }

// NewOperatorKey returns a key for an operator, and what the store keeps of it.
// Its form is tmo_NAME_SECRET; the secret has 130 random bits. It is shown once
// and cannot be had again.
func NewOperatorKey(name string, now time.Time) (secret string, key OperatorKey) {
	secret = operatorPrefix + name + "_" + strings.ToLower(rand.Text())
	return secret, OperatorKey{name, Key{Hash: sha256.Sum256([]byte(secret)), Created: now}}
}

// OperatorOf returns the key among all that a secret is, not expired at now.
// Its time does not depend on which, or on how much of it is right.
func OperatorOf(secret string, all []OperatorKey, now time.Time) (key OperatorKey, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	for _, k := range all {
		same := subtle.ConstantTimeCompare(hash[:], k.Hash[:])
		if same == 1 && (k.Expires.IsZero() || now.Before(k.Expires)) {
			key, ok = k, true
		}
	}
	return key, ok && strings.HasPrefix(secret, operatorPrefix)
}
