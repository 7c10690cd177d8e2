package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tidemark/internal/fault"
)

// An Archive is a bundle that is being written. Its methods are for one
// goroutine. What cannot be collected is noted in it; only an archive that
// cannot be written is an error, and Close returns it.
type Archive struct {
	zip    *zip.Writer
	redact *Redactor
	dir    string
	now    time.Time
	files  []file
	missed []string
	err    error
}

type file struct {
	name  string
	taken map[Kind]int
}

// NewArchive begins a bundle on w whose files are in the directory dir.
func NewArchive(w io.Writer, dir string, now time.Time, r *Redactor) *Archive {
	a := &Archive{zip: zip.NewWriter(w), redact: r, dir: dir, now: now}
	if r.short > 0 {
		a.Missing("a secret, to search for it", fmt.Errorf("%d have fewer than %d characters", r.short, shortest))
	}
	return a
}

// JSON adds a document.
func (a *Archive) JSON(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		a.Missing(name, err)
		return
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // row versions have 64 bits
	var doc any
	if err := d.Decode(&doc); err != nil {
		a.Missing(name, err)
		return
	}
	if b, err = marshal(a.redact.value(doc, a.redact.Text), "  "); err != nil {
		a.Missing(name, err)
		return
	}
	a.add(name, append(b, '\n'))
}

// Log adds lines of a log.
func (a *Archive) Log(name string, text []byte) {
	var b bytes.Buffer
	for line := range strings.Lines(string(text)) {
		b.WriteString(a.redact.line(strings.TrimRight(line, "\r\n")))
		b.WriteByte('\n')
	}
	a.add(name, b.Bytes())
}

// Text adds a text of this program's making, such as its stacks.
func (a *Archive) Text(name, text string) { a.add(name, []byte(a.redact.Name(text))) }

// Config adds a configuration file that is redacted already. References to
// secrets, which look like some, stay.
func (a *Archive) Config(name, text string, hidden int) {
	text = a.redact.Known(text)
	a.redact.counts[HiddenConfig] += hidden
	a.add(name, []byte(text))
}

// Missing notes that something could not be collected.
func (a *Archive) Missing(what string, err error) {
	text := a.redact.Text(what + ": " + err.Error())
	if hint := fault.Hint(err); hint != "" {
		text += " (" + a.redact.Text(hint) + ")"
	}
	a.redact.take()
	a.missed = append(a.missed, text)
}

// Close writes the list of contents and ends the archive.
func (a *Archive) Close() error {
	a.put("contents.txt", []byte(a.Contents()))
	if err := a.zip.Close(); err != nil {
		a.err = errors.Join(a.err, err)
	}
	return fault.New("write the bundle", a.err, "is there room on the disk?")
}

// Contents tells a person what the archive holds, what was taken out of it, and
// what is missing.
func (a *Archive) Contents() string {
	var b strings.Builder
	b.WriteString("holds\n")
	for _, f := range a.files {
		fmt.Fprintf(&b, "  %s\n", f.name)
	}
	b.WriteString("\nredacted\n")
	any := false
	for _, f := range a.files {
		for _, k := range slices.Sorted(maps.Keys(f.taken)) {
			fmt.Fprintf(&b, "  %s: %s (%d)\n", f.name, k, f.taken[k])
			any = true
		}
	}
	if !any {
		b.WriteString("  nothing: no secret and no key of a row was found\n")
	}
	if len(a.missed) > 0 {
		b.WriteString("\nmissing\n")
		for _, m := range a.missed {
			fmt.Fprintf(&b, "  %s\n", m)
		}
	}
	return b.String()
}

func (a *Archive) add(name string, b []byte) {
	a.files = append(a.files, file{name, a.redact.take()})
	a.put(name, b)
}

func (a *Archive) put(name string, b []byte) {
	if a.err != nil {
		return
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: a.dir + "/" + name, Method: zip.Deflate, Modified: a.now.UTC()})
	if err == nil {
		_, err = w.Write(b)
	}
	a.err = err
}

func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
