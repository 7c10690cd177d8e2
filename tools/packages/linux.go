package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const summary = "Keeps a cloud copy of SQL Server tables"

// linux makes a deb or rpm.
func (r *release) linux(kind string, t target, program string) error {
	scripts := filepath.Join(r.root, "deploy", "linux")
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "tidemark", Arch: t.arch, Platform: "linux", Version: r.version, Release: "1", MTime: r.time,
		Maintainer: "Tidemark", Vendor: "Tidemark", Section: "database", Priority: "optional", License: "Apache-2.0",
		Description: summary + "\nOne service runs beside the database, reads what changed, decides how little it\ncan do about it, and sends that to a cloud API.",
		Overridables: nfpm.Overridables{
			Contents: r.contents(program),
			Umask:    0o022,
			Scripts: nfpm.Scripts{
				PreInstall:  filepath.Join(scripts, "preinstall.sh"),
				PostInstall: filepath.Join(scripts, "postinstall.sh"),
				PreRemove:   filepath.Join(scripts, "preremove.sh"),
				PostRemove:  filepath.Join(scripts, "postremove.sh"),
			},
			Recommends: []string{"ca-certificates"},
			RPM:        nfpm.RPM{BuildHost: "localhost", Summary: summary, Group: "Applications/Databases"},
		},
	})
	if kind == "deb" {
		info.Deb.Predepends = []string{"passwd"}
	} else {
		info.Depends = []string{"shadow-utils"}
	}
	return r.write(kind, info)
}

// write writes a package under the name that is usual for its kind.
func (r *release) write(kind string, info *nfpm.Info) (err error) {
	packager, err := nfpm.Get(kind)
	if err != nil {
		return err
	}
	if err := nfpm.PrepareForPackager(info, kind); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.out, packager.ConventionalFileName(info)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return packager.Package(info, f)
}

// contents lists the files. Logs and sockets are the unit's to make. Whoever
// owns the folders of state and secrets is who the commands make files for
// there when root runs them.
func (r *release) contents(program string) files.Contents {
	deploy := filepath.Join(r.root, "deploy")
	own := func(mode os.FileMode) *files.ContentFileInfo {
		return &files.ContentFileInfo{Mode: mode, Owner: "tidemark", Group: "tidemark", MTime: r.time}
	}
	owned := func(mode os.FileMode) *files.ContentFileInfo {
		return &files.ContentFileInfo{Mode: mode, Owner: "root", Group: "tidemark", MTime: r.time}
	}
	plain := func(mode os.FileMode) *files.ContentFileInfo {
		return &files.ContentFileInfo{Mode: mode, Owner: "root", Group: "root", MTime: r.time}
	}
	return files.Contents{
		{Source: program, Destination: "/usr/bin/tidemark", FileInfo: plain(0o755)},
		{Source: filepath.Join(deploy, "linux", "tidemark.service"), Destination: "/usr/lib/systemd/system/tidemark.service", FileInfo: plain(0o644)},
		{Destination: "/etc/tidemark", Type: files.TypeDir, FileInfo: owned(0o750)},
		{Destination: "/etc/tidemark/secrets", Type: files.TypeDir, FileInfo: own(0o700)},
		{Destination: "/var/lib/tidemark", Type: files.TypeDir, FileInfo: own(0o750)},
		{Source: filepath.Join(deploy, "tidemark.example.yaml"), Destination: "/etc/tidemark/tidemark.example.yaml", Type: files.TypeConfig, FileInfo: owned(0o640)},
		{Source: filepath.Join(deploy, "tidemark.schema.json"), Destination: "/etc/tidemark/tidemark.schema.json", FileInfo: owned(0o640)}, // the example names it, for editors
		{Source: filepath.Join(r.root, "LICENSE"), Destination: "/usr/share/doc/tidemark/copyright", FileInfo: plain(0o644)},
	}
}
