package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// rpm is the life of the rpm, on the same machine once the deb is gone: its
// scripts and files are what is tried, not a distribution that knows no deb.
func (d *deb) rpm() plan {
	return plan{
		{"rpm: install", func(ctx context.Context) error { return d.rpmPackage(ctx, "--install", d.old) }},
		{"rpm: configure, start, rows arrive", func(ctx context.Context) error {
			if err := d.configure(ctx, []string{"dbo.parts"}); err != nil {
				return err
			}
			return errors.Join(d.do(ctx, "tidemark", "service", "start"), d.site.arrive(ctx, "parts"))
		}},
		{"rpm: upgrade", d.rpmUpgrade},
		{"rpm: erase keeps configuration and state", d.rpmErase},
	}
}

// rpmPackage installs or upgrades. Debian's rpm has to be told that it is
// meant, and knows none of what is installed.
func (d *deb) rpmPackage(ctx context.Context, how, folder string) error {
	file, err := only(folder, "tidemark-[0-9]*.x86_64.rpm")
	if err != nil {
		return err
	}
	if err := d.put(file, "/root/tidemark.rpm"); err != nil {
		return err
	}
	return d.do(ctx, "rpm", "--force-debian", "--nodeps", how, "/root/tidemark.rpm")
}

func (d *deb) rpmUpgrade(ctx context.Context) error {
	was, err := d.pid(ctx)
	if err != nil {
		return err
	}
	if err := d.rpmPackage(ctx, "--upgrade", d.new); err != nil {
		return err
	}
	if is, err := d.pid(ctx); err != nil || is == was {
		return fmt.Errorf("the service goes on with the old program, %s: %w", is, err)
	}
	return errors.Join(d.do(ctx, "systemctl", "is-enabled", "tidemark"), d.site.arrive(ctx, "parts"))
}

func (d *deb) rpmErase(ctx context.Context) error {
	if err := d.do(ctx, "rpm", "--force-debian", "--nodeps", "--erase", "tidemark"); err != nil {
		return err
	}
	for _, name := range []string{config, "/var/lib/tidemark/state.db"} {
		if _, err := os.Stat(d.path(name)); err != nil {
			return err
		}
	}
	return errors.Join(d.still(ctx), gone(d, "/usr/bin/tidemark", "/usr/lib/systemd/system/tidemark.service", "/etc/systemd/system/multi-user.target.wants/tidemark.service"))
}
