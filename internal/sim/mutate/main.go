// Command mutate builds the simulation with one deliberate bug after the
// other and tells how many histories it takes to find each. The bugs are
// patches in internal/sim/mutants, laid over the sources for the build alone.
// A patch that no longer applies, and a bug that is not found, is an error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	most := flag.Int("n", 1000, "histories for each bug at most")
	only := flag.String("only", "", "the one bug to look for")
	flag.Parse()
	if err := run(*most, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(most int, only string) error {
	patches, err := filepath.Glob("internal/sim/mutants/*.patch")
	if err != nil || len(patches) == 0 {
		return fmt.Errorf("no patches here: run it in the repository's root (%w)", err)
	}
	fmt.Println("| bug | histories until found | what it showed as |\n|---|---:|---|")
	var missed []error
	for _, p := range patches {
		name := strings.TrimSuffix(filepath.Base(p), ".patch")
		if only != "" && only != name {
			continue
		}
		n, how, err := find(p, most)
		if err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", name, err))
			n, how = "-", "**not found**"
		}
		fmt.Printf("| %s | %s | %s |\n", strings.ReplaceAll(name, "-", " "), n, how)
	}
	return errors.Join(missed...)
}

var (
	files = regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)`)
	found = regexp.MustCompile(`(?m)^\s*(\d+) histories; (.*)$`)
)

// find runs histories with a bug until one fails.
func find(patch string, most int) (histories, how string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "tidemark-mutant-")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	text, err := os.ReadFile(patch)
	if err != nil {
		return "", "", err
	}
	overlay := map[string]string{}
	for _, m := range files.FindAllStringSubmatch(string(text), -1) {
		was, err := os.ReadFile(m[1])
		if err != nil {
			return "", "", err
		}
		is := filepath.Join(dir, m[1])
		if err := os.MkdirAll(filepath.Dir(is), 0o700); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(is, was, 0o600); err != nil {
			return "", "", err
		}
		at, err := filepath.Abs(m[1])
		if err != nil {
			return "", "", err
		}
		overlay[at] = is
	}
	full, err := filepath.Abs(patch)
	if err != nil {
		return "", "", err
	}
	apply := exec.CommandContext(ctx, "git", "apply", full)
	apply.Dir = dir
	if out, err := apply.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("the patch does not apply: %s%w", out, err)
	}
	text, err = json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", "", err
	}
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim.test")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return "", "", err
	}
	if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-o", binary, "./internal/sim").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("it does not build: %s%w", out, err)
	}
	out, err := exec.CommandContext(ctx, binary, "-test.run", "^TestHistories$", "-sim.n", fmt.Sprint(most)).CombinedOutput()
	m := found.FindSubmatch(out)
	if err == nil || m == nil {
		return "", "", fmt.Errorf("not found in %d histories: %.500s", most, out)
	}
	how = string(m[2])
	return string(m[1]), how[:min(len(how), 120)], nil
}
