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
	// Wine ends its services with the last program that is none.
	stay := w.command(ctx, "wine", "cmd.exe")
	if _, err := stay.StdinPipe(); err != nil {
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
	if err := s.insert(ctx, "orders", 100); err != nil {
		return err
	}
	err = w.zip().run(ctx)
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
	settings = `C:\ProgramData\Tidemark\tidemark.yaml`
	journal  = `C:\ProgramData\Tidemark\logs\tidemark.log`
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
			return errors.Join(w.tidemark(ctx, "service", "install"), w.tidemark(ctx, "service", "install"), w.registered(ctx, unpacked))
		}},
		{"service status: it is not started", func(ctx context.Context) error {
			if err := w.tidemark(ctx, "service", "status"); !exited(err, 1) {
				return fmt.Errorf("ended with: %w", err)
			}
			return w.tidemark(ctx, "service", "stop")
		}},
		{"service uninstall, twice", func(ctx context.Context) error {
			err := errors.Join(w.tidemark(ctx, "service", "uninstall"), w.tidemark(ctx, "service", "uninstall"))
			if w.tidemark(ctx, "service", "status") == nil {
				err = errors.Join(err, errors.New("it is still there"))
			}
			return err
		}},
	}
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

// registered holds the registration against what it should be.
func (w *windows) registered(ctx context.Context, program string) error {
	key, err := w.wine(ctx, "", "reg", "query", `HKLM\System\CurrentControlSet\Services\tidemark`)
	if err != nil {
		return err
	}
	for _, want := range []string{`"` + program + `" run --config ` + settings, `NT SERVICE\tidemark`} {
		if !strings.Contains(strings.ToLower(key), strings.ToLower(want)) {
			return fmt.Errorf("no %s in\n%s", want, key)
		}
	}
	_, err = w.wine(ctx, "", "reg", "query", `HKLM\System\CurrentControlSet\Services\EventLog\Application\tidemark`)
	return err
}
