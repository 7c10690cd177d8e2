package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// msi makes the installer for Windows.
func (r *release) msi(ctx context.Context, program, work string) error {
	// The cabinet has names and times of the files as they lie there.
	files := filepath.Join(work, "msi")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	deploy := filepath.Join(r.root, "deploy")
	for source, name := range map[string]string{
		program: "tidemark.exe", filepath.Join(r.root, "LICENSE"): "LICENSE",
		filepath.Join(deploy, "tidemark.example.yaml"): "tidemark.example.yaml",
		filepath.Join(deploy, "tidemark.schema.json"):  "tidemark.schema.json",
	} {
		body, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		path := filepath.Join(files, name)
		if err := errors.Join(os.WriteFile(path, body, 0o644), os.Chtimes(path, r.time, r.time)); err != nil {
			return err
		}
	}
	code := nameUUID("package", r.version, r.commit)
	msi := filepath.Join(r.out, "tidemark-"+r.version+"-windows-amd64.msi")
	if err := tool(ctx, files, "wixl", "--arch", "x64", "--output", msi,
		"-D", "Version="+r.version, "-D", "ProductCode="+nameUUID("product", r.version), "-D", "PackageCode="+code,
		filepath.Join(deploy, "windows", "tidemark.wxs")); err != nil {
		return err
	}
	for _, what := range unsaid {
		if err := tool(ctx, files, "msibuild", msi, "-q", what); err != nil {
			return err
		}
	}
	body, err := os.ReadFile(msi)
	if err != nil {
		return err
	}
	if err := settleSummary(body, code, r.time); err != nil {
		return err
	}
	return os.WriteFile(msi, body, 0o644)
}

// unsaid is what wixl cannot be told.
var unsaid = []string{
	// It has the old version removed after the new one is there, which leaves an
	// old program that looks changed in place. First away, then anew.
	"UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'",
	// A program that was installed (18), which is run when an installation is
	// taken back (1024 + 256), as the system (2048), whatever comes of it (64)
	// (Microsoft Learn, "Custom Action Type 18", "Custom Action In-Script
	// Execution Options").
	"UPDATE `CustomAction` SET `Type` = 3410 WHERE `Action` = 'UndoService'",
}

// tool runs a program in a folder: wixl finds files only from where it runs.
func tool(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// Of a property set stream ([MS-OLEPS] 2.21 and 2.11).
var summaryFormat = []byte{0xe0, 0x85, 0x9f, 0xf2, 0xf9, 0x4f, 0x68, 0x10, 0xab, 0x91, 0x08, 0x00, 0x2b, 0x27, 0xb3, 0xd9}

const (
	propRevision = 9  // the package's code
	propCreated  = 12 // of the package
	propSaved    = 13
	typeString   = 30 // VT_LPSTR
	typeTime     = 64 // VT_FILETIME
)

// settleSummary replaces in a package what wixl takes from chance and clock:
// its code and times. The set is small and lies in one piece.
func settleSummary(msi []byte, code string, at time.Time) error {
	name := bytes.Index(msi, summaryFormat)
	if name < 28 || bytes.Contains(msi[name+1:], summaryFormat) {
		return errors.New("the package has no summary where it is expected, or two")
	}
	set := msi[name-28:]
	u32 := func(at uint32) uint32 { return binary.LittleEndian.Uint32(set[at:]) }
	section := u32(44)
	done := 0
	for i := range u32(section + 4) {
		id, value := u32(section+8+8*i), section+u32(section+12+8*i)
		switch kind := u32(value); {
		case id == propRevision && kind == typeString && u32(value+4) == 39:
			copy(set[value+8:], "{"+strings.ToUpper(code)+"}")
			done++
		case (id == propCreated || id == propSaved) && kind == typeTime:
			// 100 ns since 1601 ([MS-DTYP] 2.3.3)
			binary.LittleEndian.PutUint64(set[value+4:], uint64(at.Unix()+11_644_473_600)*10_000_000)
			done++
		}
	}
	if done != 3 {
		return fmt.Errorf("%d of 3 properties of the summary are where they are expected", done)
	}
	return nil
}
