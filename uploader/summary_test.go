package uploader_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidemark/differ/summary"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// packed is a message as it travels.
func packed(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	f := wire.NewFrameWriter(&b)
	if err := errors.Join(write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func message(body string, header ...string) *http.Response {
	return answer(http.StatusOK, wire.SummaryType, body, append([]string{"Content-Encoding", "zstd"}, header...)...)
}

// quickly tries again at once.
func quickly(c *uploader.Config) {
	c.Retry = uploader.Retry{Initial: time.Microsecond, Max: time.Microsecond, Spread: time.Microsecond}
}

func tree(nodes int) *summary.Tree {
	t := &summary.Tree{Layout: summary.Layout{Number: 1, Kind: summary.Hashed, Bits: 8}, Width: 4}
	for i := range nodes {
		c := summary.Cell{Count: int64(i%3 + 1), Hi: rand.Uint64(), Lo: rand.Uint64()}
		t.Root.Add(c)
		t.Nodes = append(t.Nodes, summary.NodeCell{Node: summary.Node(i), Cell: c.Cut(4)})
		t.Leaves++
	}
	return t
}

// What the three methods send, and that they read what comes back once,
// however often they had to ask.
func TestMessages(t *testing.T) {
	question := []byte(strings.Repeat("a question, ", 1000))
	for name, tt := range map[string]struct {
		call         func(*uploader.Client, func(io.Reader) error) error
		method, path string
		asks         bool
	}{
		"summary": {func(c *uploader.Client, read func(io.Reader) error) error {
			return c.Summary(t.Context(), "a/b", 4, read)
		}, "GET", "/api/v1/customers/acme/tables/a%2Fb/summary?width=4", false},
		"leaves": {func(c *uploader.Client, read func(io.Reader) error) error {
			return c.Leaves(t.Context(), "a/b", question, read)
		}, "POST", "/api/v1/customers/acme/tables/a%2Fb/summary", true},
		"differences": {func(c *uploader.Client, read func(io.Reader) error) error {
			return c.Differences(t.Context(), "a/b", question, read)
		}, "POST", "/api/v1/customers/acme/tables/a%2Fb/manifest", true},
	} {
		t.Run(name, func(t *testing.T) {
			whole := packed(t, text("the answer"))
			tries := []*http.Response{problem(wire.Overloaded), problem(wire.Internal), answer(200, "text/html", "<html>"), answer(200, wire.SummaryType, whole),
				message(whole[:len(whole)-2]), message(""), message("no frame at all"), message(whole)}
			asked, read := 0, 0
			c := client(t, func(r *http.Request) (*http.Response, error) {
				if r.Method != tt.method || r.URL.RequestURI() != tt.path || r.Header.Get("Accept") != wire.SummaryType {
					t.Errorf("%s %s, %v", r.Method, r.URL.RequestURI(), r.Header)
				}
				if tt.asks {
					f, err := wire.NewFrameReader(r.Body, 1<<20)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, question) {
						t.Errorf("%d bytes were asked, %v", len(got), err)
					}
					if r.Header.Get("Content-Type") != wire.SummaryType || r.Header.Get("Content-Encoding") != "zstd" {
						t.Errorf("%v", r.Header)
					}
				}
				asked++
				return tries[asked-1], nil
			}, quickly)
			err := tt.call(c, func(r io.Reader) error {
				read++
				got, err := io.ReadAll(r)
				if string(got) != "the answer" {
					t.Errorf("%q", got)
				}
				return err
			})
			if err != nil || asked != len(tries) || read != 1 {
				t.Errorf("asked %d times, read %d times: %v", asked, read, err)
			}
		})
	}
}

func TestMessagesOfConflicts(t *testing.T) {
	for _, code := range []wire.Code{wire.NoSummary, wire.LayoutChanged} {
		c := client(t, func(*http.Request) (*http.Response, error) { return problem(code), nil })
		err := c.Leaves(t.Context(), "t", []byte("q"), func(io.Reader) error { t.Error("read"); return nil })
		var conflict *uploader.Conflict
		if !errors.As(err, &conflict) || conflict.Problem.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// The reader may call the client, and its error is the caller's.
func TestMessageReaderIsFree(t *testing.T) {
	asked := 0
	whole := packed(t, text("x"))
	c := client(t, func(r *http.Request) (*http.Response, error) {
		asked++
		if strings.HasSuffix(r.URL.Path, "/versions") {
			return versions(), nil
		}
		return message(whole), nil
	})
	mine := errors.New("mine")
	err := c.Summary(t.Context(), "t", 0, func(io.Reader) error {
		if _, err := c.Versions(t.Context()); err != nil {
			t.Error(err)
		}
		return mine
	})
	if !errors.Is(err, mine) || asked != 2 {
		t.Errorf("%d requests, %v", asked, err)
	}
}

// A cloud that answers whole frames of nonsense: one request, an error that
// tells what is wrong, and nothing held.
func TestHostileMessages(t *testing.T) {
	good := tree(100)
	spoil := func(how func(*summary.Tree)) string {
		bad := *good
		bad.Nodes = append([]summary.NodeCell(nil), good.Nodes...)
		how(&bad)
		return packed(t, func(w io.Writer) error { return summary.WriteTree(w, &bad) })
	}
	head := `{"v":1,"layout":{"number":1,"kind":"hashed","epoch":0,"rows":0},"root":{"rows":1,"sum":"00000000000000000000000000000000"},"leaves":1,"width":4,"nodes":`
	for name, tt := range map[string]struct{ body, tells string }{
		"a wrong sum":          {spoil(func(t *summary.Tree) { t.Nodes[7].Cell.Lo ^= 1 }), "do not add up"},
		"a wrong count":        {spoil(func(t *summary.Tree) { t.Nodes[7].Cell.Count++ }), "do not add up"},
		"a wrong root":         {spoil(func(t *summary.Tree) { t.Root.Count-- }), "do not add up"},
		"a lost node":          {spoil(func(t *summary.Tree) { t.Nodes = t.Nodes[:99] }), "do not add up"},
		"a count below zero":   {spoil(func(t *summary.Tree) { t.Nodes[7].Cell.Count = -1 }), "-1 rows"},
		"too many leaves":      {spoil(func(t *summary.Tree) { t.Leaves = 1 << 40 }), "leaves"},
		"no order":             {spoil(func(t *summary.Tree) { t.Nodes[7].Node = 3 }), "not in order"},
		"too many nodes":       {packed(t, text(head+"2000000}\n")), "2000000 nodes"},
		"nodes that are not":   {packed(t, text(head+"1000000}\n\x01")), "ends early"},
		"more than announced":  {packed(t, text(head+`0}`+"\n"+"more")), "more follows"},
		"an endless head":      {packed(t, text(strings.Repeat(" ", 1<<20))), "over 4096 bytes"},
		"another protocol":     {packed(t, text(`{"v":2}`+"\n")), "protocol 2"},
		"no message":           {packed(t, text("")), "ends early"},
		"another kind of JSON": {packed(t, text("[]\n")), "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c := client(t, func(*http.Request) (*http.Response, error) { asked++; return message(tt.body), nil })
			err := c.Summary(t.Context(), "dbo.orders", 4, func(r io.Reader) error {
				_, err := summary.ReadTree(r)
				return err
			})
			if !errors.Is(err, summary.ErrMessage) || asked != 1 || !strings.Contains(err.Error(), tt.tells) || !strings.Contains(err.Error(), "dbo.orders") {
				t.Errorf("after %d requests: %v", asked, err)
			}
		})
	}
}

// A few kilobytes that become a gigabyte are refused before they are held.
func TestMessageBomb(t *testing.T) {
	bomb := packed(t, func(w io.Writer) error {
		zeros := make([]byte, 1<<20)
		for range 256 {
			if _, err := w.Write(zeros); err != nil {
				return err
			}
		}
		return nil
	})
	asked := 0
	c := client(t, func(*http.Request) (*http.Response, error) { asked++; return message(bomb), nil }, func(c *uploader.Config) { c.MaxAnswer = 8 << 20 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.Differences(t.Context(), "t", []byte("q"), func(io.Reader) error { t.Error("read"); return nil })
	runtime.ReadMemStats(&after)
	if !errors.Is(err, wire.ErrTooLarge) || asked != 1 || !strings.Contains(err.Error(), strconv.Itoa(8<<20)) || fault.Hint(err) == "" {
		t.Errorf("a frame of %d bytes, %d requests: %v", len(bomb), asked, err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20 {
		t.Errorf("%d MiB were allocated", allocated>>20)
	}
}

// endless counts what is read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) { e.read += int64(len(p)); return len(p), nil }
func (e *endless) Close() error               { return nil }

// A body without an end is let go of at MaxAnswer, and asked for again.
func TestEndlessMessage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var body endless
	asked := 0
	c := client(t, func(*http.Request) (*http.Response, error) {
		if asked++; asked == 4 {
			cancel()
		}
		a := message("")
		a.Body = &body
		return a, nil
	}, quickly, func(c *uploader.Config) { c.MaxAnswer = 1 << 20 })
	err := c.Summary(ctx, "t", 4, func(io.Reader) error { t.Error("read"); return nil })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "it is over 1048576 bytes") {
		t.Errorf("%v", err)
	}
	if most := int64(4 * 2 << 20); body.read > most {
		t.Errorf("%d bytes were read in %d answers", body.read, asked)
	}
}
