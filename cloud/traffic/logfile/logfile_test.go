package logfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud/traffic/logfile"
)

func zip(t interface{ Fatal(...any) }, s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lines reads all, as "number text".
func lines(r *logfile.Reader, size int) (out []string, end int64, err error) {
	buf := make([]byte, size)
	for {
		var b logfile.Block
		if b, buf, err = r.Next(buf); err != nil {
			return out, end, err
		}
		end = b.End()
		if b.Long > 0 {
			out = append(out, fmt.Sprintf("%d long %d %s", b.Line, b.Long, b.Data[:10]))
			continue
		}
		if n := len(out); b.Lines() == 0 {
			return out, end, errors.New("a block without a line")
		} else if err := b.Each(func(line []byte, number int64) error {
			out = append(out, fmt.Sprintf("%d %s", number, line))
			return nil
		}); err != nil || len(out) != n+int(b.Lines()) {
			return out, end, fmt.Errorf("%d lines, Lines is %d: %w", len(out)-n, b.Lines(), err)
		}
	}
}

// Whatever the lines, the compression, the sizes of reads and blocks, and
// where reading goes on: each line comes once, with its number.
func TestEveryLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.StringMatching(`[a-z]{0,20}`)).Draw(t, "lines")
		log := strings.Join(parts, "\n")
		if rapid.Bool().Draw(t, "ends") && log != "" {
			log += "\n"
		}
		want := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
		if log == "" {
			want = nil
		}
		source := []byte(log)
		if rapid.Bool().Draw(t, "zipped") {
			source = zip(t, log)
		}
		from := 0
		if len(want) > 0 && strings.HasSuffix(log, "\n") {
			from = rapid.IntRange(0, len(want)).Draw(t, "from")
		}
		var in io.Reader = bytes.NewReader(source)
		if rapid.Bool().Draw(t, "slowly") {
			in = iotest.OneByteReader(in)
		}
		r, err := logfile.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		if from > 0 {
			if err := r.Skip(int64(from), int64(len(strings.Join(want[:from], "\n"))+1)); err != nil {
				t.Fatal(err)
			}
		}
		got, end, err := lines(r, rapid.IntRange(1, 64).Draw(t, "block"))
		if !errors.Is(err, io.EOF) || from < len(want) && end != int64(len(log)) {
			t.Fatalf("ended at %d of %d: %v", end, len(log), err)
		}
		for i := range want {
			want[i] = fmt.Sprintf("%d %s", i+1, want[i])
		}
		if diff := cmp.Diff(append([]string(nil), want[from:]...), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestLongLine(t *testing.T) {
	for _, log := range []string{
		"a\n" + strings.Repeat("x", logfile.MaxLine-1) + "\nb\n",
		"a\n" + strings.Repeat("y", logfile.MaxLine+5) + "\nb\n",
		"a\nb\n" + strings.Repeat("y", 3*logfile.MaxLine),
	} {
		r, err := logfile.NewReader(strings.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		got, end, err := lines(r, 1024)
		if !errors.Is(err, io.EOF) || end != int64(len(log)) || len(got) != 3 || got[0] != "1 a" {
			t.Fatalf("%d lines, ended at %d of %d: %v", len(got), end, len(log), err)
		}
		if strings.Contains(log, "y") != strings.Contains(got[1]+got[2], "long") {
			t.Errorf("%.40s %.40s", got[1], got[2])
		}
	}
}

func TestBroken(t *testing.T) {
	var log strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&log, "line %d\n", i*i*7919)
	}
	whole := zip(t, log.String())
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-5] ^= 1 // in the checksum
	for name, source := range map[string][]byte{"cut": whole[:len(whole)/2], "cut in the head": whole[:5], "damaged": damaged} {
		r, err := logfile.NewReader(bytes.NewReader(source))
		var got []string
		if err == nil {
			got, _, err = lines(r, 4096)
		}
		var broken *logfile.BrokenError
		if !errors.As(err, &broken) {
			t.Fatalf("%s: %v", name, err)
		}
		if broken.Line != int64(len(got)+1) || name == "cut" && (len(got) < 1000 || broken.Offset == 0) {
			t.Errorf("%s: %v after %d lines", name, err, len(got))
		}
	}
}
