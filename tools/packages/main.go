// Command packages builds what is released of the agent: a deb and an rpm, an
// installer for Windows, archives, their checksums and the list of what is
// linked; a deb and an rpm of the cloud API; an archive of tidemark-traffic and
// the zips of its Lambda function.
//
// The same commit gives the same bytes: every time in the files is
// SOURCE_DATE_EPOCH, and no path, host or user of the building machine gets
// into them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

// A release is what all packages have in common.
type release struct {
	root    string    // of the repository
	out     string    // the folder that is filled
	version string    // three numbers
	commit  string    // "" when there is no repository
	time    time.Time // of every file
	kinds   map[string]bool
	arch    string // of the targets; "" is all
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("packages", flag.ContinueOnError)
	root := flags.String("root", "../..", "the repository")
	out := flags.String("out", "", "the folder to fill; it is emptied first (default: dist in the repository)")
	version := flags.String("version", "", "three numbers (default: the newest tag, else 0.0.COMMITS)")
	kinds := flags.String("kinds", "deb,rpm,tar.gz,zip,msi", "what to build")
	arch := flags.String("arch", "", "build only for this architecture")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := &release{root: *root, out: *out, version: *version, arch: *arch, kinds: map[string]bool{}}
	for kind := range strings.SplitSeq(*kinds, ",") {
		r.kinds[kind] = true
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.build(ctx)
}

var threeNumbers = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)

// settle finds out what was not said.
func (r *release) settle(ctx context.Context) (err error) {
	if r.root, err = filepath.Abs(r.root); err != nil {
		return err
	}
	if r.out == "" {
		r.out = filepath.Join(r.root, "dist")
	}
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	r.commit, _ = r.git(ctx, "rev-parse", "--short=12", "HEAD")
	if r.version == "" {
		r.version = r.newest(ctx)
	}
	if !threeNumbers.MatchString(r.version) {
		return fmt.Errorf("version %q: an installer for Windows takes three numbers, so all packages do", r.version)
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = r.git(ctx, "log", "-1", "--format=%ct"); err != nil {
			return fmt.Errorf("the time of the last commit (or set SOURCE_DATE_EPOCH): %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	r.time = time.Unix(seconds, 0).UTC()
	return nil
}

// newest is the version of the commit: its tag, or one that grows with every
// commit and is older than any release.
func (r *release) newest(ctx context.Context) string {
	if tag, err := r.git(ctx, "describe", "--tags", "--exact-match"); err == nil {
		return strings.TrimPrefix(tag, "v")
	}
	n, err := r.git(ctx, "rev-list", "--count", "HEAD")
	if err != nil {
		n = "0"
	}
	return "0.0." + n
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.root
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// build fills the folder.
func (r *release) build(ctx context.Context) (err error) {
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tidemark-packages-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for _, t := range targets {
		if !t.wanted(r) {
			continue
		}
		program, err := r.compile(ctx, t, work)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
		if err := r.pack(ctx, t, program, work); err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
		if err := r.cloud(ctx, t, work); err != nil {
			return fmt.Errorf("tidemark-cloud, %s/%s: %w", t.os, t.arch, err)
		}
		if err := r.traffic(ctx, t, work); err != nil {
			return fmt.Errorf("tidemark-traffic, %s/%s: %w", t.os, t.arch, err)
		}
	}
	return r.sums()
}

// pack makes all packages of one target.
func (r *release) pack(ctx context.Context, t target, program, work string) error {
	for _, kind := range t.kinds {
		if !r.kinds[kind] {
			continue
		}
		var err error
		switch kind {
		case "deb", "rpm":
			err = r.linux(kind, t, program)
		case "tar.gz":
			err = r.tarball(t, program)
		case "zip":
			err = r.zip(t, program)
		case "msi":
			err = r.msi(ctx, program, work)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return r.bom(t, program)
}
