package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"time"
)

// Invitations is the part of a Store that knows one-time codes.
type Invitations interface {
	// Invite keeps an invitation, and removes those of the customer that
	// expired before it was made. A problem NotFound for a customer that does
	// not exist.
	Invite(ctx context.Context, i Invitation) error
	// Invitations returns those of a customer, expired ones too; none for a
	// customer that does not exist.
	Invitations(ctx context.Context, customer string) ([]Invitation, error)
	// Redeem removes an invitation of the customer that has not expired at now
	// and adds a key in its place, in one transaction. ErrNoInvitation when
	// there is none, any more.
	Redeem(ctx context.Context, customer string, hash [32]byte, key Key, now time.Time) error
}

// ErrNoInvitation is the error of Redeem for a code that was used, has expired
// or never was.
var ErrNoInvitation = errors.New("there is no such invitation")

// An Invitation is what the store keeps of a one-time code: its SHA-256.
type Invitation struct {
	Customer string
	Hash     [32]byte
	Created  time.Time
	Expires  time.Time
}

// The secret of a code: groups of letters and digits, 100 random bits.
const (
	codeGroups = 4
	codeGroup  = 5
)

// NewInvitation returns a one-time code for a customer, such as
// acme-7K3QP-9XFMA-2WPDC-HT4VB, and what the store keeps of it. The code is
// shown once and cannot be had again.
func NewInvitation(customer string, now time.Time, valid time.Duration) (code string, i Invitation) {
	secret := rand.Text() // 26 characters of base 32
	groups := []string{customer}
	for g := range codeGroups {
		groups = append(groups, secret[g*codeGroup:(g+1)*codeGroup])
	}
	code = strings.Join(groups, "-")
	return code, Invitation{Customer: customer, Hash: sha256.Sum256([]byte(code)), Created: now, Expires: now.Add(valid)}
}

// readCode takes a code as people type it: in any case, with blanks, with 0
// for O and 1 for I, which base 32 has not. ok is false for what is none.
func readCode(text string) (customer string, hash [32]byte, ok bool) {
	if len(text) > 200 {
		return "", hash, false
	}
	groups := strings.Split(strings.Join(strings.Fields(text), ""), "-")
	n := len(groups) - codeGroups
	if n < 1 {
		return "", hash, false
	}
	like := strings.NewReplacer("0", "O", "1", "I")
	for i, g := range groups[n:] {
		if len(g) != codeGroup {
			return "", hash, false
		}
		groups[n+i] = like.Replace(strings.ToUpper(g))
	}
	customer = strings.ToLower(strings.Join(groups[:n], "-"))
	code := strings.Join(append([]string{customer}, groups[n:]...), "-")
	return customer, sha256.Sum256([]byte(code)), CheckCustomer(customer) == nil
}

// invited tells whether one of all has that hash and has not expired, in a
// time that does not depend on which or on how much of it is right.
func invited(hash [32]byte, all []Invitation, now time.Time) bool {
	found := 0
	for _, i := range all {
		same := subtle.ConstantTimeCompare(hash[:], i.Hash[:])
		if now.Before(i.Expires) {
			found |= same
		}
	}
	return found == 1
}
