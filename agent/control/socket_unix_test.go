//go:build !windows

package control

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSocketIsGivenToAGroup(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	own, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	groups := []string{own.Name, "tidemark-no-such-group"}
	if os.Geteuid() == 0 { // root can give to anybody
		for _, name := range []string{"daemon", "nogroup"} {
			if _, err := user.LookupGroup(name); err == nil {
				groups = append(groups, name)
			}
		}
	}
	for _, name := range groups {
		path := filepath.Join(t.TempDir(), "socket")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want := me.Gid
		if g, err := user.LookupGroup(name); err == nil {
			want = g.Gid
		}
		if err := giveTo(path, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid); got != want {
			t.Errorf("%s: the group is %s, not %s", name, got, want)
		}
	}
}
