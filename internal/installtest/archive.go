package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where the archive's program, its configuration and its state lie.
const (
	home    = "/opt/tide mark" // names have blanks at some sites
	program = home + "/tidemark"
	file    = home + "/site.yaml"
	state   = "/srv/tidemark"
)

// archive is a life without a package: a program somewhere that registers
// itself. It is another installation, so it has a table of its own: the cloud
// keeps each to its writer.
func (d *deb) archive() plan {
	return plan{
		{"from an archive: unpack", d.unpack},
		{"it installs itself, once", d.register},
		{"rows arrive", func(ctx context.Context) error {
			return errors.Join(d.tidemark(ctx, "", "service", "start"), d.site.arrive(ctx, "stock"))
		}},
		{"restart", func(ctx context.Context) error {
			return errors.Join(d.tidemark(ctx, "", "service", "restart"), d.site.arrive(ctx, "stock"))
		}},
		{"uninstall keeps state, but for --purge", d.unregister},
	}
}

// tidemark runs the archive's program.
func (d *deb) tidemark(ctx context.Context, in string, args ...string) error {
	_, err := d.run(ctx, in, program, append(args, "--config", file)...)
	return err
}

func (d *deb) unpack(ctx context.Context) error {
	archive, err := only(d.new, "tidemark-[0-9]*-linux-amd64.tar.gz")
	if err != nil {
		return err
	}
	if err := d.put(archive, "/root/tidemark.tar.gz"); err != nil {
		return err
	}
	if err := os.MkdirAll(d.path(home), 0o755); err != nil {
		return err
	}
	if err := d.do(ctx, "tar", "--extract", "--file=/root/tidemark.tar.gz", "--strip-components=1", "--directory="+home); err != nil {
		return err
	}
	// Readable by root alone, as some make it.
	text := d.site.config([]string{"dbo.stock"}, "state_dir: "+state, "log: {file: /srv/logs/tidemark.log}")
	return os.WriteFile(d.path(file), []byte(text), 0o600)
}

func (d *deb) register(ctx context.Context) error {
	if err := d.tidemark(ctx, "", "service", "install"); err != nil {
		return err
	}
	if err := d.tidemark(ctx, d.site.key, "secret", "set", "cloud.key"); err != nil {
		return err
	}
	if err := d.tidemark(ctx, password, "secret", "set", "sql.password"); err != nil {
		return err
	}
	for _, command := range []string{"install", "repair"} {
		out, err := d.run(ctx, "", program, "service", command, "--config", file)
		if err != nil || strings.Count(out, "\n") != 1 {
			return fmt.Errorf("%s again: %q: %w", command, out, err)
		}
	}
	return d.do(ctx, "systemctl", "is-enabled", "tidemark")
}

func (d *deb) unregister(ctx context.Context) error {
	if err := d.tidemark(ctx, "", "service", "uninstall"); err != nil {
		return err
	}
	if _, err := os.Stat(d.path(filepath.Join(state, "state.db"))); err != nil {
		return err
	}
	if err := d.still(ctx); err != nil {
		return err
	}
	if err := d.tidemark(ctx, "", "service", "uninstall", "--purge"); err != nil { // again
		return err
	}
	return gone(d, state, "/etc/systemd/system/tidemark.service")
}
