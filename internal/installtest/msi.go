package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	installed = `C:\Program Files\Tidemark\tidemark.exe`
	chosen    = `NT AUTHORITY\NetworkService` // an account that every Windows has
)

// msi is a life with the installer, after another one that left configuration,
// secrets and state.
func (w *windows) msi() plan {
	return plan{
		{"msiexec /i registers and starts: rows arrive", func(ctx context.Context) error {
			w.program = installed
			return errors.Join(w.msiexec(ctx, "/i", w.old), w.version(ctx, w.old), w.registered(ctx, installed, virtual), w.runs(ctx))
		}},
		{"upgrade by msiexec /i: configuration and state stay", func(ctx context.Context) error {
			return errors.Join(w.msiexec(ctx, "/i", w.new), w.version(ctx, w.new), w.registered(ctx, installed, virtual), w.kept(), w.runs(ctx))
		}},
		{"upgrade: the chosen account stays", w.upgradeChosen},
		{"msiexec /x of one that runs leaves data alone", func(ctx context.Context) error {
			return errors.Join(w.msiexec(ctx, "/x", w.new), w.removed(), w.unregistered(ctx), w.kept())
		}},
		{"msiexec /i again, with rows of the time between", func(ctx context.Context) error {
			return errors.Join(w.site.insert(ctx, "orders", 10), w.msiexec(ctx, "/i", w.new), w.runs(ctx))
		}},
		{"msiexec /x after service uninstall", func(ctx context.Context) error {
			return errors.Join(w.tidemark(ctx, "service", "uninstall"), w.msiexec(ctx, "/x", w.new), w.removed(), w.kept())
		}},
		{"msiexec /i without a configuration does not start", w.first},
	}
}

// upgradeChosen upgrades a service with an account that somebody chose. Wine
// does not tell the old version's removal that it is part of an upgrade, as
// Windows does (Microsoft Learn, "UPGRADINGPRODUCTCODE"); this tells it.
func (w *windows) upgradeChosen(ctx context.Context) error {
	if err := w.tidemark(ctx, "service", "repair", "--user", chosen); err != nil {
		return err
	}
	if err := w.registered(ctx, installed, chosen); err != nil {
		return err
	}
	if err := w.msiexec(ctx, "/x", w.new, "UPGRADINGPRODUCTCODE={00000000-0000-0000-0000-000000000001}"); err != nil {
		return err
	}
	return errors.Join(w.removed(), w.msiexec(ctx, "/i", w.new), w.registered(ctx, installed, chosen), w.runs(ctx))
}

// first is what a field tech finds after the installation.
func (w *windows) first(ctx context.Context) error {
	if err := os.RemoveAll(w.path(data)); err != nil {
		return err
	}
	if err := errors.Join(w.msiexec(ctx, "/i", w.new), w.registered(ctx, installed, virtual), w.stopped(ctx)); err != nil {
		return err
	}
	for _, name := range []string{"LICENSE.txt", "tidemark.example.yaml", "tidemark.schema.json"} {
		if _, err := os.Stat(filepath.Join(filepath.Dir(w.path(installed)), name)); err != nil {
			return err
		}
	}
	return errors.Join(w.msiexec(ctx, "/x", w.new), w.removed(), w.unregistered(ctx))
}

// msiexec does with a package of a folder what how says.
func (w *windows) msiexec(ctx context.Context, how, dir string, properties ...string) error {
	file, err := only(dir, "*-windows-amd64.msi")
	if err != nil {
		return err
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	// Z: is the root of this machine.
	args := append([]string{"msiexec", how, `Z:` + strings.ReplaceAll(file, "/", `\`), "/qn"}, properties...)
	_, err = w.wine(ctx, "", args...)
	return err
}

// version holds that the program is that of a folder of packages.
func (w *windows) version(ctx context.Context, dir string) error {
	out, err := w.wine(ctx, "", w.program, "version")
	if err == nil && !strings.HasPrefix(out, "tidemark "+filepath.Base(dir)+"+") {
		err = fmt.Errorf("not of %s: %s", dir, out)
	}
	return err
}

// removed holds that nothing of the program is left.
func (w *windows) removed() error {
	dir := filepath.Dir(w.path(installed))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not gone: %w", dir, err)
	}
	return nil
}

// kept holds that configuration, secrets and state are there.
func (w *windows) kept() error {
	var errs []error
	for _, name := range []string{settings, data + `\secrets\cloud.key.secret`, data + `\state\state.db`} {
		_, err := os.Stat(w.path(name))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
