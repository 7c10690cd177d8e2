package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Everything is built twice, at another time and in another time zone, and is
// the same to the byte.
func TestPackages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
	first, again := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "again")
	build(t, first)
	time.Sleep(2 * time.Second) // times in a zip have 2 s
	t.Setenv("TZ", "Asia/Tokyo")
	build(t, again)
	want, got := contents(t, first), contents(t, again)
	var names []string
	for name := range want {
		names = append(names, name)
		if want[name] != got[name] {
			t.Errorf("%s is another the second time", name)
		}
	}
	slices.Sort(names)
	if len(want) != len(got) {
		t.Errorf("%d files, then %d", len(want), len(got))
	}
	if got := strings.Join(names, "\n"); got != `SHA256SUMS
tidemark-1.2.3-1.aarch64.rpm
tidemark-1.2.3-1.x86_64.rpm
tidemark-1.2.3-linux-amd64.cdx.json
tidemark-1.2.3-linux-amd64.tar.gz
tidemark-1.2.3-linux-arm64.cdx.json
tidemark-1.2.3-linux-arm64.tar.gz
tidemark-1.2.3-windows-amd64.cdx.json
tidemark-1.2.3-windows-amd64.msi
tidemark-1.2.3-windows-amd64.zip
tidemark-cloud-1.2.3-1.aarch64.rpm
tidemark-cloud-1.2.3-1.x86_64.rpm
tidemark-cloud-1.2.3-linux-amd64.cdx.json
tidemark-cloud-1.2.3-linux-arm64.cdx.json
tidemark-cloud_1.2.3-1_amd64.deb
tidemark-cloud_1.2.3-1_arm64.deb
tidemark-traffic-1.2.3-linux-amd64.cdx.json
tidemark-traffic-1.2.3-linux-amd64.tar.gz
tidemark-traffic-1.2.3-linux-arm64.cdx.json
tidemark-traffic-1.2.3-linux-arm64.tar.gz
tidemark-traffic-lambda-1.2.3-linux-amd64.cdx.json
tidemark-traffic-lambda-1.2.3-linux-arm64.cdx.json
tidemark-traffic-lambda-amd64.zip
tidemark-traffic-lambda-arm64.zip
tidemark_1.2.3-1_amd64.deb
tidemark_1.2.3-1_arm64.deb` {
		t.Errorf("files:\n%s", got)
	}
	t.Run("sums", func(t *testing.T) { sums(t, want) })
	t.Run("bom", func(t *testing.T) { bom(t, want["tidemark-1.2.3-linux-amd64.cdx.json"]) })
	t.Run("deb", func(t *testing.T) { deb(t, want["tidemark_1.2.3-1_amd64.deb"]) })
	t.Run("cloud", func(t *testing.T) { cloudDeb(t, want["tidemark-cloud_1.2.3-1_amd64.deb"]) })
}

func build(t *testing.T, out string) {
	t.Helper()
	if err := run(t.Context(), []string{"-out", out, "-version", "1.2.3"}); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sums(t *testing.T, all map[string]string) {
	lines := strings.Split(strings.TrimSpace(all["SHA256SUMS"]), "\n")
	if len(lines) != len(all)-1 {
		t.Errorf("%d sums for %d files", len(lines), len(all)-1)
	}
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(all[name]))); got != sum {
			t.Errorf("%s: %s, not %s", name, got, sum)
		}
	}
}

func bom(t *testing.T, text string) {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Components, func(c component) bool {
		return c.Name == "github.com/microsoft/go-mssqldb" && strings.HasPrefix(c.Version, "v1.") && strings.HasPrefix(c.PURL, "pkg:golang/")
	}) {
		t.Errorf("the driver is not in the list of %d components", len(d.Components))
	}
	if len(d.Dependencies) != 1 || len(d.Dependencies[0].On) != len(d.Components) {
		t.Errorf("dependencies: %v", d.Dependencies)
	}
}

// The files have the owners and modes that the service needs, and dpkg runs
// the scripts.
func deb(t *testing.T, ar string) {
	control, data := member(t, ar, "control.tar.gz"), member(t, ar, "data.tar.gz")
	for _, name := range []string{"./preinst", "./postinst", "./prerm", "./postrm", "./conffiles"} {
		if control[name].header == nil {
			t.Errorf("no %s", name)
		}
	}
	if got := control["./conffiles"].body; got != "/etc/tidemark/tidemark.example.yaml\n" {
		t.Errorf("conffiles: %q", got)
	}
	for name, want := range map[string]string{
		"./usr/bin/tidemark":                        "root root 755",
		"./usr/lib/systemd/system/tidemark.service": "root root 644",
		"./etc/tidemark/":                           "root tidemark 750",
		"./etc/tidemark/secrets/":                   "tidemark tidemark 700",
		"./var/lib/tidemark/":                       "tidemark tidemark 750",
		"./etc/tidemark/tidemark.example.yaml":      "root tidemark 640",
		"./etc/tidemark/tidemark.schema.json":       "root tidemark 640",
	} {
		h := data[name].header
		if h == nil {
			t.Errorf("no %s", name)
		} else if got := fmt.Sprintf("%s %s %o", h.Uname, h.Gname, h.Mode&0o7777); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

// The cloud's settings may hold a password: they are root's alone, and stay
// when somebody has changed them.
func cloudDeb(t *testing.T, ar string) {
	control, data := member(t, ar, "control.tar.gz"), member(t, ar, "data.tar.gz")
	if got := control["./conffiles"].body; got != "/etc/default/tidemark-cloud\n" {
		t.Errorf("conffiles: %q", got)
	}
	for name, want := range map[string]string{
		"./usr/bin/tidemark-cloud":                                       "root root 755",
		"./usr/lib/systemd/system/tidemark-cloud.service":                "root root 644",
		"./etc/default/tidemark-cloud":                                   "root root 600",
		"./usr/share/tidemark-cloud/prometheus/tidemark-cloud.rules.yml": "root root 644",
		"./usr/share/tidemark-cloud/prometheus/tidemark-agent.rules.yml": "root root 644",
		"./usr/share/tidemark-cloud/grafana/tidemark-cloud.json":         "root root 644",
	} {
		h := data[name].header
		if h == nil {
			t.Errorf("no %s", name)
		} else if got := fmt.Sprintf("%s %s %o", h.Uname, h.Gname, h.Mode&0o7777); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

type entry struct {
	header *tar.Header
	body   string
}

// member unpacks a tar of an ar archive (ar(5)).
func member(t *testing.T, ar, name string) map[string]entry {
	t.Helper()
	rest := strings.TrimPrefix(ar, "!<arch>\n")
	for len(rest) >= 60 {
		size, err := strconv.Atoi(strings.TrimSpace(rest[48:58]))
		if err != nil {
			t.Fatal(err)
		}
		body := rest[60 : 60+size]
		if strings.TrimRight(rest[:16], " /") != name {
			rest = rest[60+size+size%2:]
			continue
		}
		unpacked, err := gzip.NewReader(bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]entry{}
		for r := tar.NewReader(unpacked); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			all[h.Name] = entry{h, string(text)}
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

func TestVersionOfThreeNumbers(t *testing.T) {
	if err := run(t.Context(), []string{"-out", t.TempDir(), "-version", "1.2-rc1"}); err == nil || !strings.Contains(err.Error(), "three numbers") {
		t.Errorf("%v", err)
	}
}
