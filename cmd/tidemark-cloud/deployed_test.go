package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// What unit, images and compose.yaml run are commands that there are, with
// flags that there are.
func TestDeployedCommands(t *testing.T) {
	read := func(path string) string {
		t.Helper()
		body, err := os.ReadFile("../../deploy/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	var lines [][]string
	for _, m := range regexp.MustCompile(`(?m)^ExecStart=\S+/tidemark-cloud (.*)$`).FindAllStringSubmatch(read("linux/tidemark-cloud.service"), -1) {
		lines = append(lines, strings.Fields(strings.TrimSuffix(m[1], " $OPTIONS")))
	}
	_, stage, _ := strings.Cut(read("container/Dockerfile"), " AS cloud\n")
	stage, _, _ = strings.Cut(stage, "\nFROM ")
	for _, m := range regexp.MustCompile(`(?m)CMD (\[.*\])$`).FindAllStringSubmatch(stage, -1) {
		var args []string
		if err := yaml.Unmarshal([]byte(m[1]), &args); err != nil {
			t.Fatal(err)
		}
		if args[0] == "/usr/bin/tidemark-cloud" {
			args = args[1:]
		}
		lines = append(lines, args)
	}
	compose := read("compose.yaml")
	var services struct {
		Services map[string]struct{ Command []string }
	}
	if err := yaml.Unmarshal([]byte(compose), &services); err != nil {
		t.Fatal(err)
	}
	lines = append(lines, services.Services["cloud"].Command)
	for _, text := range append(services.Services["setup"].Command, strings.Split(compose, "\n")...) {
		for _, m := range regexp.MustCompile(`tidemark-cloud ((?:customers|tables) [a-z]+ [a-z]+)`).FindAllStringSubmatch(text, -1) {
			lines = append(lines, strings.Fields(m[1]))
		}
	}
	if len(lines) < 6 {
		t.Errorf("only %d commands are found: %q", len(lines), lines)
	}
	for _, args := range lines {
		c, rest, err := newRoot(&app{}).Find(args)
		if err == nil {
			err = c.ParseFlags(rest)
		}
		if err == nil {
			err = c.ValidateArgs(c.Flags().Args())
		}
		if err != nil || !c.Runnable() {
			t.Errorf("%q: %v", args, err)
		}
	}
}
