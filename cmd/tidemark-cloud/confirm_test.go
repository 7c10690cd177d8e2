package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Only the customer's id is a yes.
func TestConfirm(t *testing.T) {
	for answer, yes := range map[string]bool{"acme\n": true, " acme \r\n": true, "acme": true, "": false, "\n": false, "y\n": false, "yes\n": false, "Acme\n": false, "acme2\n": false} {
		var asked bytes.Buffer
		err := (&app{err: &asked}).confirm(strings.NewReader(answer), "acme")
		if (err == nil) != yes || err != nil && !errors.Is(err, errNo) {
			t.Errorf("%q: %v", answer, err)
		}
		if !strings.Contains(asked.String(), "all rows of acme") {
			t.Errorf("asked %q", asked.String())
		}
	}
}
