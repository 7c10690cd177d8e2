package control

import "testing"

// The decision itself, because a test cannot be several users.
func TestWhoMayControl(t *testing.T) {
	groups := func(uid uint32) []string {
		if uid == 1002 {
			return []string{"50", "900"}
		}
		return nil
	}
	for _, test := range []struct {
		what     string
		uid, gid uint32
		group    int
		want     bool
	}{
		{"root", 0, 0, 900, true},
		{"the service's own account", 990, 990, 900, true},
		{"by primary group", 1001, 900, 900, true},
		{"by another of its groups", 1002, 100, 900, true},
		{"a stranger", 1003, 100, 900, false},
		{"a stranger in root's group", 1003, 0, 0, false},
	} {
		if got := mayControl(test.uid, test.gid, 990, test.group, groups); got != test.want {
			t.Errorf("%s: %v", test.what, got)
		}
	}
}
