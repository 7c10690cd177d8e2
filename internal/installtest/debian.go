package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deb is a Debian with the agent's package.
type deb struct {
	*machine
	site     *site
	old, new string // folders of packages
}

func debian(ctx context.Context, s *site, old, new string) (err error) {
	base, err := bootstrap(ctx)
	if err != nil {
		return err
	}
	m, err := boot(ctx, base, s.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.halt()) }()
	d := &deb{machine: m, site: s, old: old, new: new}
	if err := s.insert(ctx, "orders", 100); err != nil {
		return err
	}
	err = slices.Concat(d.life(), d.rpm(), d.archive(), d.cloud()).run(ctx)
	if err != nil {
		journal, _ := d.run(context.WithoutCancel(ctx), "", "journalctl", "--no-pager", "--lines=40", "--unit=tidemark", "--unit=tidemark-cloud")
		err = fmt.Errorf("%w\n%s", err, journal)
	}
	return err
}

const config = "/etc/tidemark/tidemark.yaml"

// life is a package's, from the installation to the purge.
func (d *deb) life() plan {
	orders := []string{"dbo.orders"}
	return plan{
		{"install", func(ctx context.Context) error { return d.install(ctx, d.old) }},
		{"it does not start without a configuration, nor fail", d.unconfigured},
		{"configure from a file", func(ctx context.Context) error { return d.configure(ctx, orders) }},
		{"start", func(ctx context.Context) error { return d.do(ctx, "tidemark", "service", "start") }},
		{"rows arrive", func(ctx context.Context) error { return d.site.equal(ctx, "orders") }},
		{"all is well, for root and for a member of the group", d.well},
		{"it runs as its user, with little to be seen or done", d.confined},
		{"kill -9 restarts it", d.killed},
		{"the watchdog restarts one that stands still, no other", d.watchdog},
		{"reload brings another table", func(ctx context.Context) error { return d.reload(ctx) }},
		{"reload with a mistake fails, and it goes on", d.badReload},
		{"a start with a mistake fails once", d.badStart},
		{"upgrade", func(ctx context.Context) error { return d.upgrade(ctx) }},
		{"stop, within 20 seconds", d.stop},
		{"install and repair change nothing of a package's service", d.again},
		{"remove keeps configuration and state", d.remove},
		{"installed again it goes on", func(ctx context.Context) error {
			return errors.Join(d.install(ctx, d.new), d.site.arrive(ctx, "orders"))
		}},
		{"purge leaves nothing", d.purge},
	}
}

func (d *deb) do(ctx context.Context, name string, args ...string) error {
	_, err := d.run(ctx, "", name, args...)
	return err
}

func (d *deb) install(ctx context.Context, folder string) error {
	file, err := only(folder, "tidemark_*_amd64.deb")
	if err != nil {
		return err
	}
	if err := d.put(file, "/root/tidemark.deb"); err != nil {
		return err
	}
	return d.do(ctx, "dpkg", "--install", "/root/tidemark.deb")
}

// only is the one file of a folder with that kind of name.
func only(folder, pattern string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("%d files %s in %s: %w", len(files), pattern, folder, err)
	}
	return files[0], nil
}

func (d *deb) unconfigured(ctx context.Context) error {
	if err := d.do(ctx, "tidemark", "service", "start"); !exited(err, 3) {
		return fmt.Errorf("tidemark service start: %w", err)
	}
	if err := d.do(ctx, "systemctl", "start", "tidemark"); err == nil {
		return errors.New("systemctl started it")
	}
	if err := d.do(ctx, "systemctl", "is-failed", "tidemark"); err == nil {
		return errors.New("it failed")
	}
	return d.do(ctx, "systemctl", "is-enabled", "tidemark")
}

// exited tells whether a command ended with that code.
func exited(err error, code int) bool {
	var ended interface{ ExitCode() int }
	return errors.As(err, &ended) && ended.ExitCode() == code
}

func (d *deb) write(tables []string, more ...string) error {
	return os.WriteFile(d.path(config), []byte(d.site.config(tables, more...)), 0o644)
}

func (d *deb) configure(ctx context.Context, tables []string) error {
	if err := d.write(tables); err != nil {
		return err
	}
	if _, err := d.run(ctx, d.site.key, "tidemark", "secret", "set", "cloud.key"); err != nil {
		return err
	}
	if _, err := d.run(ctx, password, "tidemark", "secret", "set", "sql.password"); err != nil {
		return err
	}
	return errors.Join(d.do(ctx, "tidemark", "config", "check"), d.do(ctx, "tidemark", "doctor"))
}

func (d *deb) well(ctx context.Context) error {
	if err := d.do(ctx, "tidemark", "status"); err != nil {
		return err
	}
	if err := d.do(ctx, "tidemark", "service", "status"); err != nil {
		return err
	}
	if err := d.do(ctx, "useradd", "--groups", "tidemark", "support"); err != nil {
		return err
	}
	if err := d.do(ctx, "runuser", "-u", "support", "--", "tidemark", "status"); err != nil {
		return err
	}
	if err := d.do(ctx, "runuser", "-u", "nobody", "--", "tidemark", "status"); err == nil {
		return errors.New("anybody may ask")
	}
	return nil
}

// property is one of the service's.
func (d *deb) property(ctx context.Context, name string) (string, error) {
	out, err := d.run(ctx, "", "systemctl", "show", "--value", "--property="+name, "tidemark")
	return strings.TrimSpace(out), err
}

func (d *deb) pid(ctx context.Context) (string, error) {
	pid, err := d.property(ctx, "MainPID")
	if err == nil && pid == "0" {
		err = errors.New("it does not run")
	}
	return pid, err
}

func (d *deb) confined(ctx context.Context) error {
	pid, err := d.pid(ctx)
	if err != nil {
		return err
	}
	status, err := d.run(ctx, "", "cat", "/proc/"+pid+"/status")
	if err != nil {
		return err
	}
	uid, err := d.run(ctx, "", "id", "--user", "tidemark")
	if err != nil {
		return err
	}
	for _, want := range []string{"\nUid:\t" + strings.TrimSpace(uid) + "\t", "\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
		if !strings.Contains(status, want) {
			return fmt.Errorf("no %q in\n%s", want, status)
		}
	}
	report, err := d.run(ctx, "", "systemd-analyze", "security", "--no-pager", "tidemark.service")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(report, "Overall exposure level for tidemark.service: ")
	level, err := strconv.ParseFloat(strings.Fields(rest + " ?")[0], 64)
	if err != nil || level > 2 {
		return fmt.Errorf("exposure %q: %w", tail([]byte(report)), err)
	}
	return nil
}

// restarted waits for another process than was, and for its rows.
func (d *deb) restarted(ctx context.Context, was string) error {
	err := until(ctx, 3*time.Minute, "another process", func(ctx context.Context) (bool, error) {
		pid, err := d.pid(ctx)
		if err != nil || pid == was {
			return false, err
		}
		return true, d.do(ctx, "systemctl", "is-active", "tidemark")
	})
	if err != nil {
		return err
	}
	return d.site.arrive(ctx, "orders")
}

func (d *deb) killed(ctx context.Context) error {
	was, err := d.pid(ctx)
	if err != nil {
		return err
	}
	if err := d.do(ctx, "sh", "-c", "kill -KILL "+was); err != nil {
		return err
	}
	return d.restarted(ctx, was)
}

// watchdog shortens the watchdog. A process that lives is left alone for
// longer than that, and one that stands still is not.
func (d *deb) watchdog(ctx context.Context) error {
	const drop = "/etc/systemd/system/tidemark.service.d"
	if err := os.MkdirAll(d.path(drop), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(d.path(drop+"/watchdog.conf"), []byte("[Service]\nWatchdogSec=12\nRestartSec=1\n"), 0o644); err != nil {
		return err
	}
	if err := errors.Join(d.do(ctx, "systemctl", "daemon-reload"), d.do(ctx, "systemctl", "restart", "tidemark")); err != nil {
		return err
	}
	was, err := d.pid(ctx)
	if err != nil {
		return err
	}
	time.Sleep(16 * time.Second)
	if is, err := d.pid(ctx); err != nil || is != was {
		return fmt.Errorf("one that lives was ended: %s, then %s: %w", was, is, err)
	}
	if err := d.do(ctx, "sh", "-c", "kill -STOP "+was); err != nil {
		return err
	}
	if err := d.restarted(ctx, was); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(d.path(drop)), d.do(ctx, "systemctl", "daemon-reload"), d.do(ctx, "systemctl", "restart", "tidemark"))
}

func (d *deb) reload(ctx context.Context) error {
	if err := d.write([]string{"dbo.orders", "dbo.lines"}); err != nil {
		return err
	}
	if err := d.do(ctx, "systemctl", "reload", "tidemark"); err != nil {
		return err
	}
	return d.site.arrive(ctx, "lines")
}

func (d *deb) badReload(ctx context.Context) error {
	if err := d.write([]string{"dbo.orders", "dbo.lines"}, "no_such_setting: 1"); err != nil {
		return err
	}
	if err := d.do(ctx, "systemctl", "reload", "tidemark"); err == nil {
		return errors.New("the reload succeeded")
	}
	return d.site.arrive(ctx, "lines")
}

func (d *deb) badStart(ctx context.Context) error {
	if err := d.do(ctx, "systemctl", "restart", "tidemark"); err == nil {
		return errors.New("it started")
	}
	time.Sleep(12 * time.Second) // longer than RestartSec
	for name, want := range map[string]string{"ActiveState": "failed", "ExecMainStatus": "3", "NRestarts": "0"} {
		if got, err := d.property(ctx, name); err != nil || got != want {
			return fmt.Errorf("%s is %s, not %s: %w", name, got, want, err)
		}
	}
	if err := d.write([]string{"dbo.orders", "dbo.lines"}); err != nil {
		return err
	}
	return errors.Join(d.do(ctx, "tidemark", "service", "start"), d.site.arrive(ctx, "orders"))
}

func (d *deb) upgrade(ctx context.Context) error {
	was, err := d.pid(ctx)
	if err != nil {
		return err
	}
	before, err := d.run(ctx, "", "tidemark", "version")
	if err != nil {
		return err
	}
	if err := d.install(ctx, d.new); err != nil {
		return err
	}
	if after, err := d.run(ctx, "", "tidemark", "version"); err != nil || after == before {
		return fmt.Errorf("version %s: %w", after, err)
	}
	return d.restarted(ctx, was)
}

func (d *deb) stop(ctx context.Context) error {
	began := time.Now()
	if err := d.do(ctx, "tidemark", "service", "stop"); err != nil {
		return err
	}
	if took := time.Since(began); took > 20*time.Second {
		return fmt.Errorf("took %s", took)
	}
	if got, err := d.property(ctx, "Result"); err != nil || got != "success" {
		return fmt.Errorf("result %s: %w", got, err)
	}
	if err := d.do(ctx, "tidemark", "service", "status"); !exited(err, 1) {
		return fmt.Errorf("tidemark service status: %w", err)
	}
	return d.do(ctx, "tidemark", "service", "stop")
}

func (d *deb) again(ctx context.Context) error {
	for _, command := range []string{"install", "repair"} {
		out, err := d.run(ctx, "", "tidemark", "service", command)
		if err != nil || strings.Count(out, "\n") != 1 {
			return fmt.Errorf("%s: %q: %w", command, out, err)
		}
	}
	return gone(d, "/etc/systemd/system/tidemark.service")
}

func (d *deb) remove(ctx context.Context) error {
	if err := d.do(ctx, "tidemark", "service", "start"); err != nil {
		return err
	}
	if err := d.do(ctx, "dpkg", "--remove", "tidemark"); err != nil {
		return err
	}
	for _, name := range []string{config, "/etc/tidemark/secrets", "/var/lib/tidemark/state.db"} {
		if _, err := os.Stat(d.path(name)); err != nil {
			return err
		}
	}
	return errors.Join(d.still(ctx), gone(d, "/usr/bin/tidemark"))
}

// still fails when the agent runs.
func (d *deb) still(ctx context.Context) error {
	names, err := d.run(ctx, "", "sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null; true")
	switch lines := strings.Split(names, "\n"); {
	case err != nil || !slices.Contains(lines, "systemd"):
		return fmt.Errorf("what runs? %q: %w", names, err)
	case slices.Contains(lines, "tidemark"):
		return errors.New("it runs")
	}
	return nil
}

func (d *deb) purge(ctx context.Context) error {
	if err := d.do(ctx, "dpkg", "--purge", "tidemark"); err != nil {
		return err
	}
	if err := d.do(ctx, "getent", "passwd", "tidemark"); err == nil {
		return errors.New("the user is still there")
	}
	return gone(d, "/etc/tidemark", "/var/lib/tidemark", "/var/log/tidemark", "/usr/bin/tidemark", "/usr/lib/systemd/system/tidemark.service",
		"/etc/systemd/system/multi-user.target.wants/tidemark.service", "/usr/share/doc/tidemark")
}

// gone fails for a file that is there.
func gone(d *deb, names ...string) error {
	for _, name := range names {
		if _, err := os.Lstat(d.path(name)); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is there: %w", name, err)
		}
	}
	return nil
}
