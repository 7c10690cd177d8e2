package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// windows is Wine with the agent on it.
type windows struct {
	site     *site
	prefix   string // that is C: and the registry
	old, new string // folders of packages
	program  string // that is tested, as Windows names it
}

//go:embed bcryptprimitives.c.in
var bcryptPrimitives []byte

func wine(ctx context.Context, s *site, old, new string) (err error) {
	w := &windows{site: s, prefix: filepath.Join(s.dir, "wine"), old: old, new: new}
	if _, err := w.wine(ctx, "", "wineboot", "--init"); err != nil {
		return err
	}
	halted := false
	defer func() {
		if !halted {
			err = errors.Join(err, w.halt())
		}
	}()
	if err := w.provide(ctx); err != nil {
		return err
	}
	// Making a prefix leaves two service managers, of which each knows half of
	// what is registered, and what one starts tells the other: "Service request
	// timeout", "Service does not exist". Started anew there is one.
	if err := w.halt(); err != nil {
		return err
	}
	// Wine ends its services with the last program that is none.
	stay := w.command(ctx, "wine", "cmd.exe")
	if _, err := stay.StdinPipe(); err != nil {
		return err
	}
	greeting, err := stay.StdoutPipe()
	if err != nil {
		return err
	}
	if err := stay.Start(); err != nil {
		return err
	}
	defer func() {
		halted = true
		err = errors.Join(err, w.halt())
		_ = stay.Wait() // it was killed
	}()
	if _, err := io.ReadFull(greeting, make([]byte, 1)); err != nil { // it greets when the manager is up
		return err
	}
	if err := s.insert(ctx, "orders", 100); err != nil {
		return err
	}
	err = append(w.zip(), w.msi()...).run(ctx)
	if err != nil {
		log, _ := os.ReadFile(w.path(journal))
		err = fmt.Errorf("%w\n%s", err, tail(log))
	}
	return err
}

// provide brings what this Wine lacks.
func (w *windows) provide(ctx context.Context) error {
	dll := w.path(`C:\windows\system32\bcryptprimitives.dll`)
	if _, err := os.Stat(dll); err == nil {
		return nil
	}
	source := filepath.Join(w.site.dir, "bcryptprimitives.c")
	if err := os.WriteFile(source, bcryptPrimitives, 0o644); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "x86_64-w64-mingw32-gcc", "-shared", "-o", dll, source, "-ladvapi32").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(out))
	}
	return nil
}

// halt ends all that runs on this Wine.
func (w *windows) halt() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, how := range []string{"--kill", "--wait"} {
		if out, err := w.command(ctx, "wineserver", how).CombinedOutput(); err != nil {
			return fmt.Errorf("wineserver %s: %w\n%s", how, err, tail(out))
		}
	}
	return nil
}

func (w *windows) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "WINEPREFIX="+w.prefix, "WINEDEBUG="+cmp.Or(os.Getenv("WINEDEBUG"), "-all"), "WINEDLLOVERRIDES=mscoree,mshtml=", "DISPLAY=")
	if name == "wineserver" {
		if _, err := exec.LookPath(name); err != nil { // Debian keeps it out of the way
			cmd.Path, cmd.Err = "/usr/lib/wine/wineserver", nil
		}
	}
	return cmd
}

// wine runs a program of Windows, and returns what it printed.
func (w *windows) wine(ctx context.Context, in string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	// A file, not a pipe: what the program starts keeps that open.
	out, err := os.CreateTemp(w.site.dir, "out-")
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Close() }()
	cmd := w.command(ctx, "wine", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), out, out
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	if err != nil {
		return string(text), fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, tail(text))
	}
	return string(text), readErr
}

// path is where a file of Windows is from here.
func (w *windows) path(name string) string {
	return filepath.Join(w.prefix, "drive_c", filepath.FromSlash(strings.ReplaceAll(strings.TrimPrefix(name, `C:`), `\`, "/")))
}

func (w *windows) tidemark(ctx context.Context, args ...string) error {
	_, err := w.wine(ctx, "", append([]string{w.program}, args...)...)
	return err
}

const (
	unpacked = `C:\Tools\tide mark\tidemark.exe`
	data     = `C:\ProgramData\Tidemark`
	settings = data + `\tidemark.yaml`
	journal  = data + `\logs\tidemark.log`
	virtual  = `NT SERVICE\tidemark` // account
)

// zip is a life with a program that was unpacked.
func (w *windows) zip() plan {
	return plan{
		{"unpack the zip", w.unpack},
		{"version", func(ctx context.Context) error { return w.tidemark(ctx, "version") }},
		{"configure from a file; config check", w.configure},
		{"once: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "once"), w.site.equal(ctx, "orders"))
		}},
		{"service install, twice", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "install"), w.tidemark(ctx, "service", "install"), w.registered(ctx, unpacked, virtual))
		}},
		{"service status: it is not started", w.stopped},
		{"service start, twice: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "start"), w.tidemark(ctx, "service", "start"), w.runs(ctx))
		}},
		{"service stop, twice", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "stop"), w.tidemark(ctx, "service", "stop"), w.stopped(ctx))
		}},
		{"service restart: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "restart"), w.runs(ctx))
		}},
		{"service uninstall of one that runs, twice", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "uninstall"), w.tidemark(ctx, "service", "uninstall"), w.unregistered(ctx))
		}},
	}
}

// runs holds that the service does what it is for.
func (w *windows) runs(ctx context.Context) error {
	return errors.Join(w.tidemark(ctx, "service", "status"), w.site.arrive(ctx, "orders"))
}

// stopped holds that the service is there and does not run.
func (w *windows) stopped(ctx context.Context) error {
	if err := w.tidemark(ctx, "service", "status"); !exited(err, 1) {
		return fmt.Errorf("service status ended with: %w", err)
	}
	return nil
}

func (w *windows) unpack(context.Context) error {
	file, err := only(w.old, "*-windows-amd64.zip")
	if err != nil {
		return err
	}
	r, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	w.program = unpacked
	for _, f := range r.File {
		if path.Base(f.Name) != "tidemark.exe" {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return err
		}
		body, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(w.path(unpacked)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(w.path(unpacked), body, 0o755)
	}
	return errors.New("no program in the zip")
}

func (w *windows) configure(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(w.path(settings)), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(w.path(settings), []byte(w.site.config([]string{"dbo.orders"}, "log: {file: '"+journal+"'}")), 0o644); err != nil {
		return err
	}
	for name, value := range map[string]string{"cloud.key": w.site.key, "sql.password": password} {
		if _, err := w.wine(ctx, value, w.program, "secret", "set", name); err != nil {
			return err
		}
	}
	return w.tidemark(ctx, "config", "check")
}
