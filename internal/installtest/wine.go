package main

import (
	"archive/zip"
	"bytes"
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
	defer func() { err = errors.Join(err, w.halt()) }()
	if err := w.provide(ctx); err != nil {
		return err
	}
	if err := s.insert(ctx, "orders", 100); err != nil {
		return err
	}
	return append(w.zip(), w.installer()...).run(ctx)
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
	cmd.Env = append(cmd.Environ(), "WINEPREFIX="+w.prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "DISPLAY=")
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
	unpacked  = `C:\Tools\tide mark\tidemark.exe`
	installed = `C:\Program Files\Tidemark\tidemark.exe`
	settings  = `C:\ProgramData\Tidemark\tidemark.yaml`
	remembers = `C:\ProgramData\Tidemark\state\state.db`
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
		{"service start: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "start"), w.site.arrive(ctx, "orders"), w.tidemark(ctx, "service", "status"))
		}},
		{"service restart: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "restart"), w.site.arrive(ctx, "orders"))
		}},
		{"service stop, within 20 seconds", w.stop},
		{"service uninstall, twice", func(ctx context.Context) error {
			err := errors.Join(w.tidemark(ctx, "service", "uninstall"), w.tidemark(ctx, "service", "uninstall"))
			if w.tidemark(ctx, "service", "status") == nil {
				err = errors.Join(err, errors.New("it is still there"))
			}
			return err
		}},
	}
}

// installer is a life with the MSI.
func (w *windows) installer() plan {
	return plan{
		{"msiexec /i: installed, started, rows arrive", func(ctx context.Context) error {
			w.program = installed
			return errors.Join(w.msiexec(ctx, w.old, "/i"), w.registered(ctx, installed), w.site.arrive(ctx, "orders"), w.is(ctx, "1.0.0"))
		}},
		{"msiexec /i of a newer version: rows arrive", func(ctx context.Context) error {
			return errors.Join(w.msiexec(ctx, w.new, "/i"), w.registered(ctx, installed), w.site.arrive(ctx, "orders"), w.is(ctx, "1.1.0"))
		}},
		{"msiexec /x keeps configuration and state", func(ctx context.Context) error {
			if err := w.msiexec(ctx, w.new, "/x"); err != nil {
				return err
			}
			if _, err := os.Stat(w.path(installed)); err == nil {
				return errors.New("the program is still there")
			}
			if w.registered(ctx, installed) == nil {
				return errors.New("the service is still there")
			}
			for _, name := range []string{settings, remembers} {
				if _, err := os.Stat(w.path(name)); err != nil {
					return err
				}
			}
			return nil
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
	if err := os.WriteFile(w.path(settings), []byte(w.site.config([]string{"dbo.orders"})), 0o644); err != nil {
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

func (w *windows) stop(ctx context.Context) error {
	began := time.Now()
	if err := w.tidemark(ctx, "service", "stop"); err != nil {
		return err
	}
	if took := time.Since(began); took > 20*time.Second {
		return fmt.Errorf("took %s", took)
	}
	if err := w.tidemark(ctx, "service", "status"); !exited(err, 1) {
		return fmt.Errorf("service status: %w", err)
	}
	return nil
}

func (w *windows) msiexec(ctx context.Context, folder, what string) error {
	file, err := only(folder, "*.msi")
	if err != nil {
		return err
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	_, err = w.wine(ctx, "", "msiexec", what, "Z:"+strings.ReplaceAll(file, "/", `\`), "/qn")
	return err
}

// is holds the installed program's version against what it should be.
func (w *windows) is(ctx context.Context, version string) error {
	out, err := w.wine(ctx, "", w.program, "version")
	if err == nil && !strings.Contains(out, " "+version) {
		err = errors.New(out)
	}
	return err
}
