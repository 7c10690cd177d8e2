package installer

import (
	_ "embed"
	"path/filepath"
	"slices"
	"strings"
)

// The watchdog and how long a stop may take are the unit's; see StopTime for
// the program's own.
//
//go:embed tidemark.service.tmpl
var unitTemplate string

// A Unit is what of a systemd unit differs from site to site.
type Unit struct {
	Program  string   // absolute path
	Config   string   // absolute path of the configuration file
	User     string   // and group
	Writable []string // directories outside of the unit's own that the agent writes to
}

// String renders the unit. It is also what the packages ship, for their paths:
// deploy/linux/tidemark.service.
func (u Unit) String() string {
	home := "yes"
	for _, path := range append([]string{u.Program, u.Config}, u.Writable...) {
		if inHome(path) {
			home = "read-only"
		}
	}
	writable := ""
	for _, dir := range u.Writable {
		writable += "ReadWritePaths=" + quoted(dir) + "\n"
	}
	return strings.NewReplacer(
		"@PROGRAM@", quoted(u.Program), "@CONFIG@", quoted(u.Config), "@CONFIGPATH@", escaped(u.Config),
		"@USER@", u.User, "@HOME@", home, "@WRITABLE@\n", writable,
	).Replace(unitTemplate)
}

// inHome tells whether ProtectHome=yes would hide the path.
func inHome(path string) bool {
	return slices.ContainsFunc([]string{"/home", "/root", "/run/user"}, func(dir string) bool {
		rel, err := filepath.Rel(dir, path)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
	})
}

// escaped is a path as systemd takes it: its specifiers begin with %.
func escaped(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// quoted is a word of a command line or list, as in systemd.syntax(7); in a
// command line variables begin with $.
func quoted(word string) string {
	word = escaped(strings.ReplaceAll(word, "$", "$$"))
	if strings.ContainsAny(word, " \t\"'\\;") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
	}
	return word
}

// What the packages and the default configuration agree on.
const (
	defaultUser  = "tidemark"
	defaultState = "/var/lib/tidemark"
	defaultLogs  = "/var/log/tidemark"
)

// unit is the unit of a registration. Of the directories that the agent
// writes to it names those that systemd does not make itself.
func unit(o Options, user, program string) Unit {
	u := Unit{Program: program, Config: o.Config, User: user}
	for _, dir := range append([]string{o.State}, o.Writable...) {
		if dir != "" && dir != defaultState && dir != defaultLogs && !slices.Contains(u.Writable, dir) {
			u.Writable = append(u.Writable, dir)
		}
	}
	return u
}
