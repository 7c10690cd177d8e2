package main

import (
	"fmt"
	"time"
)

// keyAges are what is shown of the keys of a customer or an operator.
type keyAges struct {
	Key      *time.Time `json:"key_created"` // null: none that lasts
	Old      int        `json:"old_keys"`
	OldUntil *time.Time `json:"old_keys_valid_until,omitempty"`
}

// add adds a key; one that does not expire has the zero time.
func (a *keyAges) add(created, expires, now time.Time) {
	switch {
	case expires.IsZero():
		a.Key = &created
	case expires.After(now):
		a.Old++
		if a.OldUntil == nil || expires.After(*a.OldUntil) {
			a.OldUntil = &expires
		}
	}
}

// columns are the ages in a table.
func (a *keyAges) columns() (key, old string) {
	key, old = "none", "-"
	if a.Key != nil {
		key = day(*a.Key)
	}
	if a.Old > 0 {
		old = fmt.Sprintf("%d until %s", a.Old, minute(*a.OldUntil))
	}
	return key, old
}

func day(t time.Time) string    { return t.UTC().Format(time.DateOnly) }
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
