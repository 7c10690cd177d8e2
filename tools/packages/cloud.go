package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
)

const cloudSummary = "The cloud API that Tidemark's agents send to"

// cloud makes deb and rpm of tidemark-cloud, where those are wanted.
func (r *release) cloud(ctx context.Context, t target, work string) error {
	kinds := slices.DeleteFunc([]string{"deb", "rpm"}, func(kind string) bool { return !r.kinds[kind] || !slices.Contains(t.kinds, kind) })
	if len(kinds) == 0 {
		return nil
	}
	program := filepath.Join(work, t.os+"-"+t.arch, "tidemark-cloud")
	if err := r.goBuild(ctx, t, "./cmd/tidemark-cloud", program); err != nil {
		return err
	}
	deploy := filepath.Join(r.root, "deploy")
	file := func(mode os.FileMode) *files.ContentFileInfo {
		return &files.ContentFileInfo{Mode: mode, Owner: "root", Group: "root", MTime: r.time}
	}
	for _, kind := range kinds {
		info := nfpm.WithDefaults(&nfpm.Info{
			Name: "tidemark-cloud", Arch: t.arch, Platform: "linux", Version: r.version, Release: "1", MTime: r.time,
			Maintainer: "Tidemark", Vendor: "Tidemark", Section: "database", Priority: "optional", License: "Apache-2.0",
			Description: cloudSummary + "\nTakes rows of SQL Server tables and keeps them in Postgres, or for a start in one\nSQLite file.",
			Overridables: nfpm.Overridables{
				Contents: files.Contents{
					{Source: program, Destination: "/usr/bin/tidemark-cloud", FileInfo: file(0o755)},
					{Source: filepath.Join(deploy, "linux", "tidemark-cloud.service"), Destination: "/usr/lib/systemd/system/tidemark-cloud.service", FileInfo: file(0o644)},
					{Source: filepath.Join(deploy, "linux", "tidemark-cloud.default"), Destination: "/etc/default/tidemark-cloud", Type: files.TypeConfigNoReplace, FileInfo: file(0o600)},
					{Source: filepath.Join(r.root, "LICENSE"), Destination: "/usr/share/doc/tidemark-cloud/copyright", FileInfo: file(0o644)},
					{Source: filepath.Join(deploy, "prometheus", "tidemark-cloud.rules.yml"), Destination: "/usr/share/tidemark-cloud/prometheus/tidemark-cloud.rules.yml", FileInfo: file(0o644)},
					{Source: filepath.Join(deploy, "prometheus", "tidemark-agent.rules.yml"), Destination: "/usr/share/tidemark-cloud/prometheus/tidemark-agent.rules.yml", FileInfo: file(0o644)},
					{Source: filepath.Join(deploy, "grafana", "tidemark-cloud.json"), Destination: "/usr/share/tidemark-cloud/grafana/tidemark-cloud.json", FileInfo: file(0o644)},
				},
				Umask: 0o022,
				Scripts: nfpm.Scripts{
					PostInstall: filepath.Join(deploy, "linux", "cloud-postinstall.sh"),
					PreRemove:   filepath.Join(deploy, "linux", "cloud-preremove.sh"),
					PostRemove:  filepath.Join(deploy, "linux", "cloud-postremove.sh"),
				},
				Recommends: []string{"ca-certificates"},
				RPM:        nfpm.RPM{BuildHost: "localhost", Summary: cloudSummary, Group: "Applications/Databases"},
			},
		})
		if err := r.write(kind, info); err != nil {
			return err
		}
	}
	return r.bom(t, program)
}
