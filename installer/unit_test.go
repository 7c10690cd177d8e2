package installer

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the unit that packages ship")

// What packages ship is what a registration would write for their paths.
func TestPackagedUnit(t *testing.T) {
	const file = "../deploy/linux/tidemark.service"
	got := Unit{Program: "/usr/bin/tidemark", Config: "/etc/tidemark/tidemark.yaml", User: "tidemark"}.String()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(got, "@PROGRAM@") || strings.Contains(got, "{{") {
		t.Error("something is left of the template")
	}
}

func TestUnit(t *testing.T) {
	for _, test := range []struct {
		name  string
		unit  Unit
		lines []string
		not   []string
	}{
		{
			name: "blanks, quotes, specifiers and variables",
			unit: Unit{Program: `/opt/my "tools"/tidemark`, Config: `/srv/100% of $HOME.yaml`, User: "tm"},
			lines: []string{
				`ExecStart="/opt/my \"tools\"/tidemark" run --config "/srv/100%% of $$HOME.yaml"`,
				`AssertPathExists=/srv/100%% of $HOME.yaml`, `User=tm`, `Group=tm`, `ProtectHome=yes`,
			},
			not: []string{"ReadWritePaths"},
		},
		{
			name:  "in a home",
			unit:  Unit{Program: "/usr/bin/tidemark", Config: "/home/ann/tidemark.yaml", User: "ann"},
			lines: []string{"ProtectHome=read-only"},
		},
		{
			name:  "not in a home",
			unit:  Unit{Program: "/homes/tidemark", Config: "/rooted/tidemark.yaml", User: "ann"},
			lines: []string{"ProtectHome=yes"},
		},
		{
			name:  "directories",
			unit:  unit(Options{Config: "/etc/t.yaml", State: "/srv/state", Writable: []string{"/srv/my logs", "/srv/state", "/var/log/tidemark"}}, "tm", "/usr/bin/tidemark"),
			lines: []string{"ReadWritePaths=/srv/state", `ReadWritePaths="/srv/my logs"`},
			not:   []string{"ReadWritePaths=/var/log"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := "\n" + test.unit.String()
			for _, line := range test.lines {
				if strings.Count(got, "\n"+line+"\n") != 1 {
					t.Errorf("not one line %q in\n%s", line, got)
				}
			}
			for _, not := range test.not {
				if strings.Contains(got, not) {
					t.Errorf("%q in\n%s", not, got)
				}
			}
		})
	}
}
