package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/bundle"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/installer"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Bounds of a bundle: lines and bytes of the log, and the time that it may
// take to ask everything.
const (
	bundleLines    = 5_000
	bundleLog      = 8 << 20
	bundlePatience = 5 * time.Minute
)

func newBundle(a *app) *cobra.Command {
	out := ""
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Write one file with all that support asks for",
		Long: `Writes a zip file with the status, explanation and journal of every table, what
doctor finds, the configuration, the end of the log, and how the service's process
stands. It works from the state file when the service is not running. With a configuration
that has mistakes it holds these, version and the system's journal, and ends with 3.

It holds no secrets, no rows and no keys of rows: secrets that the configuration
refers to are taken out wherever they stand, and so is what looks like one, and
what is in quotes in an error and is no name of the configuration. contents.txt in
it lists what was taken out, and what could not be collected.`,
		Example: "  tidemark bundle\n  sudo tidemark bundle -o /tmp/acme.zip",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVarP(&out, "output", "o", "", "file to write (default: tidemark-CUSTOMER-TIME.zip here)")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		c, broken := a.view()
		now := time.Now()
		if broken != nil {
			c = &config.Config{Customer: "site"}
		}
		name := fmt.Sprintf("tidemark-%s-%s", c.Customer, now.UTC().Format("20060102T150405Z"))
		if out == "" {
			out = name + ".zip"
		}
		contents, err := a.writeBundle(cmd.Context(), c, broken, out, name, now)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s %s", out, contents)
		if broken != nil {
			return broken
		}
		return err
	}
	return c
}

// writeBundle writes the file, whole or not at all.
func (a *app) writeBundle(ctx context.Context, c *config.Config, broken error, path, dir string, now time.Time) (contents string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", fault.New("write the bundle", err, "name another file with -o")
	}
	if err != nil {
		return "", fault.New("write the bundle", err, "name a file with -o that this user can write")
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fault.New("write the bundle", e, "is there room on the disk?")
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	secrets, unread := secretsOf(c)
	z := bundle.NewArchive(f, dir, now, bundle.NewRedactor(secrets, namesOf(c)))
	for _, err := range unread {
		z.Missing("a secret, to search for it", err)
	}
	asking, cancel := context.WithTimeout(ctx, bundlePatience)
	defer cancel()
	a.collect(asking, c, broken, z)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return z.Contents(), nil
}

func (a *app) collect(ctx context.Context, c *config.Config, broken error, z *bundle.Archive) {
	host, _ := os.Hostname()
	z.JSON("version.json", map[string]any{
		"version": build(), "protocol": wire.Protocol, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"host": host, "time": time.Now(),
	})
	if broken != nil { // neither the file, whose secrets cannot be told, nor what it names
		z.Missing("tidemark.yaml, and the log, which it leads to", broken)
		z.Log("configuration_errors.txt", []byte(broken.Error()))
		client := control.NewClient(config.DefaultStateDir()) // a service may run with the file of before
		defer client.Close()
		if _, err := client.Status(ctx); err != nil {
			z.Missing("status, explanations and journals", err)
		} else {
			z.Collect(ctx, client)
			collectProcess(ctx, client, z)
		}
		collectJournal(ctx, z)
		return
	}
	text, hidden := c.Redacted()
	z.Config("tidemark.yaml", text, hidden)
	if err := a.withViewer(ctx, func(v agent.Viewer) error {
		if _, err := v.Status(ctx); err != nil {
			return err
		}
		z.Collect(ctx, v)
		if live, ok := v.(*control.Client); ok {
			collectProcess(ctx, live, z)
		} else {
			z.Missing("process.json and stacks.txt", control.ErrNotRunning)
		}
		return nil
	}); err != nil {
		z.Missing("status, explanations and journals", err)
	}
	z.JSON("state.json", stateFiles(c.StateDir))
	z.JSON("doctor.json", examine(ctx, a.configPath, c))
	if c.Log.File == "" {
		collectJournal(ctx, z)
	} else if lines, err := logTail(c.Log.File, c.Log.Keep, bundleLines, bundleLog); err != nil {
		z.Missing("log.txt", err)
	} else {
		z.Log("log.txt", lines)
	}
}

// collectJournal adds what systemd keeps of the log, where it does.
func collectJournal(ctx context.Context, z *bundle.Archive) {
	program, err := exec.LookPath("journalctl")
	if err != nil {
		z.Missing("log.txt", elsewhere(bundleLines, false))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--unit", installer.DefaultName, "--lines", strconv.Itoa(bundleLines), "--output", "short-iso", "--no-pager", "--quiet").Output()
	switch {
	case err != nil:
		z.Missing("log.txt", fmt.Errorf("journalctl: %w", err))
	case len(out) == 0:
		z.Missing("log.txt", errors.New("the journal has nothing of it, or this user may not see it: run this as an administrator (sudo)"))
	default:
		z.Log("log.txt", lastLines(out, bundleLog))
	}
}

func collectProcess(ctx context.Context, live *control.Client, z *bundle.Archive) {
	p, err := live.Process(ctx)
	if err != nil {
		z.Missing("process.json and stacks.txt", err)
		return
	}
	z.Text("stacks.txt", p.Stacks)
	p.Stacks = ""
	z.JSON("process.json", p)
}

// stateDirectory is what state.json tells.
type stateDirectory struct {
	Path  string      `json:"path"`
	Free  uint64      `json:"free_bytes,omitempty"`
	Files []stateFile `json:"files"`
	Error string      `json:"error,omitempty"`
}

type stateFile struct {
	Name     string    `json:"name"`
	Mode     string    `json:"mode"`
	Size     int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// stateFiles lists what is in a state directory, without opening any of it.
func stateFiles(dir string) stateDirectory {
	s := stateDirectory{Path: dir}
	free, err := freeSpace(dir)
	s.Free = free
	entries, listed := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it is gone by now
		}
		s.Files = append(s.Files, stateFile{filepath.Base(e.Name()), info.Mode().String(), info.Size(), info.ModTime()})
	}
	if err := errors.Join(err, listed); err != nil {
		s.Error = err.Error()
	}
	return s
}
