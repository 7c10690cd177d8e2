package commandtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// Runs fails the test where a command line is none of the program: an unknown
// command or flag, a value that is none, arguments too many or too few.
func Runs(t *testing.T, root *cobra.Command, args []string) {
	t.Helper()
	c, rest, err := root.Find(args)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err == nil && !c.Runnable() {
		err = errors.New("it does nothing")
	}
	if err != nil {
		t.Errorf("%s %q: %v", root.Name(), args, err)
	}
}

// Deployed are the command lines of a program in the files of a folder like
// deploy: its unit's, those of its stage of the Dockerfile and of the service in
// compose.yaml that has the stage's name, and what compose.yaml tells to type.
func Deployed(t *testing.T, folder, program, stage string) (lines [][]string) {
	t.Helper()
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	add := func(args []string) {
		if args[0] == "/usr/bin/"+program {
			args = args[1:]
		}
		lines = append(lines, args)
	}
	for _, m := range regexp.MustCompile(`(?m)^Exec\w+=\S*/`+program+` (.*)$`).FindAllStringSubmatch(read("linux/"+program+".service"), -1) {
		add(strings.Fields(strings.TrimSuffix(m[1], " $OPTIONS")))
	}
	_, text, _ := strings.Cut(read("container/Dockerfile"), " AS "+stage+"\n")
	text, _, _ = strings.Cut(text, "\nFROM ")
	for _, m := range regexp.MustCompile(`(?m)CMD (\[.*\])$`).FindAllStringSubmatch(text, -1) {
		var args []string
		if err := yaml.Unmarshal([]byte(m[1]), &args); err != nil {
			t.Fatal(err)
		}
		add(args)
	}
	compose := read("compose.yaml")
	var services struct {
		Services map[string]struct{ Command []string }
	}
	if err := yaml.Unmarshal([]byte(compose), &services); err != nil {
		t.Fatal(err)
	}
	add(services.Services[stage].Command)
	typed := regexp.MustCompile(`(?m)/usr/bin/`+program+` (.*)$`).FindAllStringSubmatch(compose, -1)
	for _, m := range typed {
		add(strings.Fields(m[1]))
	}
	if len(lines) < 5 || len(typed) == 0 {
		t.Errorf("only %d commands of %s are found: %q", len(lines), program, lines)
	}
	return lines
}

var (
	quoted   = regexp.MustCompile("`([^`]+)`")
	variable = regexp.MustCompile(`^[A-Z_]+=("[^"]*"|\S*)\s+`)
)

// Documented holds what documents tell to type against the program: a line of an
// indented block is a command line that runs; what is named in a sentence has
// commands and flags that there are.
func Documented(t *testing.T, root *cobra.Command, documents ...string) {
	t.Helper()
	root.InitDefaultHelpCmd()
	found := 0
	for _, name := range documents {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(body), "\\\n", " ")
		for line := range strings.Lines(text) {
			typed, block := strings.CutPrefix(line, "    ")
			if !block {
				for _, m := range quoted.FindAllStringSubmatch(line, -1) {
					if args, ok := typedArgs(root, m[1]); ok {
						found++
						if err := named(root, args); err != nil {
							t.Errorf("%s: `%s`: %v", name, m[1], err)
						}
					}
				}
				continue
			}
			if args, ok := typedArgs(root, strings.TrimPrefix(typed, "$ ")); ok {
				found++
				Runs(t, root, args)
			}
		}
	}
	if found == 0 {
		t.Errorf("%s is in none of %q", root.Name(), documents)
	}
}

// typedArgs are the arguments of a line that begins with the program; none of
// one that has alternatives.
func typedArgs(root *cobra.Command, line string) ([]string, bool) {
	for variable.MatchString(line) {
		line = variable.ReplaceAllString(line, "")
	}
	line, ok := strings.CutPrefix(line, root.Name()+" ")
	for _, end := range []string{" #", " && ", " >", " <", "  "} {
		line, _, _ = strings.Cut(line, end)
	}
	if !ok || strings.ContainsAny(line, "[|") {
		return nil, false
	}
	var args []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		args = append(args, m[1]+m[2]+m[3])
	}
	return args, len(args) > 0
}

// named tells whether there are such a command and such flags.
func named(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 && !c.Runnable() && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("%s has no command %s", c.CommandPath(), rest[0])
	}
	for _, arg := range rest {
		long, isFlag := strings.CutPrefix(arg, "--")
		long, _, _ = strings.Cut(long, "=")
		if isFlag && long != "help" && c.Flag(long) == nil {
			return fmt.Errorf("%s has no flag --%s", c.CommandPath(), long)
		}
	}
	return nil
}
