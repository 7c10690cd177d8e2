package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// A target is a kind of machine that the agent runs on.
type target struct {
	os, arch string
	kinds    []string // of packages
}

var targets = []target{
	{"linux", "amd64", []string{"deb", "rpm", "tar.gz"}},
	{"linux", "arm64", []string{"deb", "rpm", "tar.gz"}},
	{"windows", "amd64", []string{"zip", "msi"}},
}

func (t target) wanted(r *release) bool {
	return (r.arch == "" || r.arch == t.arch) && slices.ContainsFunc(t.kinds, func(kind string) bool { return r.kinds[kind] })
}

func (t target) program() string {
	if t.os == "windows" {
		return "tidemark.exe"
	}
	return "tidemark"
}

// maxProgram is how large the agent may get: sites have slow lines.
const maxProgram = 20 << 20

// compile builds the agent and returns its path.
func (r *release) compile(ctx context.Context, t target, work string) (string, error) {
	program := filepath.Join(work, t.os+"-"+t.arch, t.program())
	if err := r.goBuild(ctx, t, "./cmd/tidemark", program); err != nil {
		return "", err
	}
	return program, check(program)
}

// goBuild builds a program without what depends on the machine.
func (r *release) goBuild(ctx context.Context, t target, source, program string) error {
	version := r.version
	if r.commit != "" {
		version += "+" + r.commit
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program,
		"-ldflags=-s -w -buildid= -X main.version="+version, source)
	cmd.Dir, cmd.Stderr = r.root, os.Stderr
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=")
	return cmd.Run()
}

// check holds a program against what is promised of it.
func check(program string) error {
	info, err := os.Stat(program)
	if err != nil {
		return err
	}
	if info.Size() >= maxProgram {
		return fmt.Errorf("the program has %d bytes; it must stay below %d", info.Size(), maxProgram)
	}
	built, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	for _, s := range built.Settings {
		if s.Key == "CGO_ENABLED" && s.Value == "0" {
			return nil
		}
	}
	return fmt.Errorf("the program is built with cgo")
}
