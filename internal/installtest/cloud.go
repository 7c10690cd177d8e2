package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Where the cloud's package has what.
const (
	cloudUnit     = "tidemark-cloud.service"
	cloudSettings = "/etc/default/tidemark-cloud"
	cloudState    = "/var/lib/tidemark-cloud"
)

// cloud is the life of the cloud API's package, with the store that needs no
// set-up.
func (d *deb) cloud() plan {
	var url string
	return plan{
		{"install the cloud API", func(ctx context.Context) error { return d.installCloud(ctx, d.old) }},
		{"it waits to be enabled", func(ctx context.Context) error {
			if err := d.do(ctx, "systemctl", "is-enabled", cloudUnit); err == nil {
				return errors.New("it is enabled")
			}
			return nil
		}},
		{"a mistake in its settings ends it once", func(ctx context.Context) error {
			if err := d.cloudOptions("--io-volume none"); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "start", cloudUnit); err == nil {
				return errors.New("it starts")
			}
			return d.cloudIs(ctx, "ExecMainStatus", "3")
		}},
		{"it starts, and is ready when systemd says so", func(ctx context.Context) error {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			url = "http://" + l.Addr().String()
			if err := errors.Join(l.Close(), d.cloudOptions("--listen "+l.Addr().String())); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "enable", "--now", cloudUnit); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"it runs as nobody in particular, and keeps its store to itself", d.cloudConfined},
		{"root's commands and the service share the store", func(ctx context.Context) error {
			if err := d.do(ctx, "tidemark-cloud", "customers", "add", "shop", "--store", "sqlite:"+cloudState+"/cloud.db"); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "restart", cloudUnit); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"upgrade", func(ctx context.Context) error {
			if err := d.installCloud(ctx, d.new); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"stop", func(ctx context.Context) error {
			began := time.Now()
			err := d.do(ctx, "systemctl", "stop", cloudUnit)
			if took := time.Since(began); took > 25*time.Second {
				err = errors.Join(err, fmt.Errorf("it took %v", took))
			}
			return errors.Join(err, d.cloudIs(ctx, "ExecMainStatus", "0"))
		}},
		{"purge leaves nothing", func(ctx context.Context) error {
			if err := d.do(ctx, "dpkg", "--purge", "tidemark-cloud"); err != nil {
				return err
			}
			return gone(d, cloudSettings, cloudState, "/var/lib/private/tidemark-cloud", "/usr/bin/tidemark-cloud", "/usr/lib/systemd/system/"+cloudUnit,
				"/etc/systemd/system/multi-user.target.wants/"+cloudUnit)
		}},
	}
}

func (d *deb) installCloud(ctx context.Context, folder string) error {
	file, err := only(folder, "tidemark-cloud_*_amd64.deb")
	if err != nil {
		return err
	}
	if err := d.put(file, "/root/tidemark-cloud.deb"); err != nil {
		return err
	}
	return d.do(ctx, "dpkg", "--force-confold", "--install", "/root/tidemark-cloud.deb")
}

func (d *deb) cloudOptions(options string) error {
	return os.WriteFile(d.path(cloudSettings), []byte("OPTIONS="+options+"\n"), 0o600)
}

// cloudIs fails unless a property of the unit has that value.
func (d *deb) cloudIs(ctx context.Context, property, want string) error {
	out, err := d.run(ctx, "", "systemctl", "show", "--value", "--property="+property, cloudUnit)
	if got := strings.TrimSpace(out); err == nil && got != want {
		err = fmt.Errorf("%s is %q, not %q", property, got, want)
	}
	return err
}

func (d *deb) cloudConfined(ctx context.Context) error {
	pid, err := d.run(ctx, "", "systemctl", "show", "--value", "--property=MainPID", cloudUnit)
	if err != nil {
		return err
	}
	status, err := d.run(ctx, "", "cat", "/proc/"+strings.TrimSpace(pid)+"/status")
	if err != nil {
		return err
	}
	for _, want := range []string{"\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
		if !strings.Contains(status, want) {
			return fmt.Errorf("no %q in\n%s", want, status)
		}
	}
	if strings.Contains(status, "\nUid:\t0\t") {
		return errors.New("it runs as root")
	}
	mode, err := d.run(ctx, "", "stat", "--format=%a", "/var/lib/private/tidemark-cloud/cloud.db")
	if got := strings.TrimSpace(mode); err == nil && got != "600" {
		err = fmt.Errorf("the store has mode %s", got)
	}
	return err
}
