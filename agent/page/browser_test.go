package page_test

import (
	"bytes"
	"context"
	"image"
	_ "image/png"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser shows the pages, whose policy forbids every script. SCREENSHOTS names a directory to
// leave pictures in, for people to look at.
func TestBrowser(t *testing.T) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium is installed: the pages are compared with golden files alone")
	}
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	server := httptest.NewServer(site(ill(), day()))
	defer server.Close()
	browse := func(args ...string) []byte {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, append([]string{
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
			"--user-data-dir=" + t.TempDir(),
		}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "TZ=UTC")
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, errOut.String())
		}
		if strings.Contains(errOut.String(), "Content Security Policy") {
			t.Error(errOut.String())
		}
		return out
	}
	dom := string(browse("--dump-dom", server.URL+"/"))
	for _, text := range []string{"1 problem", "an open transaction holds changes back", "dbo.a &amp; b &lt;c&gt;", `aria-label="Largest lag of a table`} {
		if !strings.Contains(dom, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
	for name, path := range map[string]string{"overview": "/", "table": "/table?name=dbo.orders"} {
		for kind, flags := range map[string][]string{
			"light": {"--window-size=1100,1300"}, "dark": {"--window-size=1100,1300", "--force-dark-mode", "--enable-features=WebContentsForceDark:inversion_method/cielab_based"}, "narrow": {"--window-size=500,1300"},
		} {
			file := filepath.Join(dir, name+"-"+kind+".png")
			browse(append(flags, "--screenshot="+file, server.URL+path)...)
			looksDrawn(t, file)
		}
	}
}

// looksDrawn tells a page with text and colours from an empty one.
func looksDrawn(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]int{}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}]++
		}
	}
	if len(colours) < 20 {
		t.Errorf("%s has %d colours: is it drawn?", filepath.Base(file), len(colours))
	}
}
