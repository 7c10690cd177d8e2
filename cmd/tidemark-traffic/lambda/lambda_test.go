package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The test's program is the function, too: in an environment of its own.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const pattern = `http 2026-07-02T22:23:00.186641Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.001 0.002 0.003 200 200 34 366 "GET http://example.com:80/v1/customers/c%d/versions HTTP/1.1" "agent" - - arn:tg "Root=1"`

// A world is what the function talks to: S3, an endpoint, and the runtime,
// which gives it one event after the other.
type world struct {
	s3, endpoint, runtime *httptest.Server
	invocations           chan invocation
	answers               chan string

	mu      sync.Mutex
	objects map[string][]byte
	lines   map[string]int // by "bucket/key line"
	broken  map[string]bool
	slow    time.Duration // the endpoint
}

type invocation struct {
	event    string
	deadline time.Duration
}

func newWorld(t *testing.T) *world {
	w := &world{invocations: make(chan invocation), answers: make(chan string), objects: map[string][]byte{}, lines: map[string]int{}, broken: map[string]bool{}}
	w.s3 = httptest.NewServer(http.HandlerFunc(w.serveS3))
	w.endpoint = httptest.NewServer(http.HandlerFunc(w.take))
	w.runtime = httptest.NewServer(http.HandlerFunc(w.serveRuntime))
	t.Cleanup(w.s3.Close)
	t.Cleanup(w.endpoint.Close)
	t.Cleanup(w.runtime.Close)
	t.Cleanup(w.runtime.CloseClientConnections)
	return w
}

func (w *world) serveS3(out http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDTEST/") || r.Header.Get("X-Amz-Security-Token") != "session" {
		out.WriteHeader(http.StatusForbidden)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	w.mu.Lock()
	object, ok := w.objects[name]
	breaks := w.broken[name]
	w.mu.Unlock()
	if !ok {
		out.Header().Set("Content-Type", "application/xml")
		out.WriteHeader(http.StatusNotFound)
		fmt.Fprint(out, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
		return
	}
	out.Header().Set("Content-Length", fmt.Sprint(len(object)))
	if breaks {
		_, _ = out.Write(object[:len(object)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = out.Write(object)
}

func (w *world) take(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // before that a server does not see that its client is gone
	if err != nil {
		return
	}
	select {
	case <-time.After(w.slow):
	case <-r.Context().Done():
		return
	}
	var in io.Reader = bytes.NewReader(body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			out.WriteHeader(http.StatusInternalServerError)
			return
		}
		in = z
	}
	for d := json.NewDecoder(in); ; {
		var e struct {
			File string `json:"log_file"`
			Line int    `json:"log_line"`
		}
		if d.Decode(&e) != nil {
			return
		}
		w.mu.Lock()
		w.lines[fmt.Sprint(e.File, " ", e.Line)]++
		w.mu.Unlock()
	}
}

// serveRuntime is the Lambda runtime API ("Lambda runtime API" in the
// developer guide): next gives an invocation, response and error take its end.
func (w *world) serveRuntime(out http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/next") {
		select {
		case i := <-w.invocations:
			out.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			out.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(i.deadline).UnixMilli()))
			fmt.Fprint(out, i.event)
		case <-r.Context().Done():
		}
		return
	}
	b, _ := io.ReadAll(r.Body)
	out.WriteHeader(http.StatusAccepted)
	w.answers <- r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:] + " " + string(b)
}

// start runs the function until the test ends and returns its log.
func (w *world) start(t *testing.T) *lockedBuffer {
	log := new(lockedBuffer)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(w.runtime.URL, "http://"), "TIDEMARK_TRAFFIC_TO="+w.endpoint.URL,
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIDTEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=session", "AWS_ENDPOINT_URL_S3="+w.s3.URL)
	cmd.Stderr, cmd.Stdout = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return log
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *world) invoke(t *testing.T, event any, deadline time.Duration) string {
	t.Helper()
	b, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case w.invocations <- invocation{string(b), deadline}:
	case <-time.After(10 * time.Minute):
		t.Fatal("the function does not ask for an event")
	}
	select {
	case a := <-w.answers:
		return a
	case <-time.After(10 * time.Minute):
		t.Fatal("the function does not answer")
		return ""
	}
}

func (w *world) put(name string, lines int) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	out := bufio.NewWriter(z)
	for i := range lines {
		fmt.Fprintf(out, pattern+"\n", i)
	}
	_ = out.Flush()
	_ = z.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects[name] = b.Bytes()
}

// arrived counts the lines of an object that came.
func (w *world) arrived(name string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range w.lines {
		if strings.HasPrefix(line, name+" ") {
			n++
		}
	}
	return n
}

type object = map[string]any

func created(key string) object {
	return object{"eventName": "ObjectCreated:Put", "eventSource": "aws:s3", "s3": object{"bucket": object{"name": "logs"}, "object": object{"key": key}}}
}

func s3Event(records ...object) object { return object{"Records": records} }

func sqsEvent(t *testing.T, bodies ...object) object {
	var out []object
	for i, b := range bodies {
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, object{"messageId": fmt.Sprint("m", i), "eventSource": "aws:sqs", "body": string(text)})
	}
	return object{"Records": out}
}

func failures(t *testing.T, answer string) (out []string) {
	t.Helper()
	var a struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	text, ok := strings.CutPrefix(answer, "response ")
	if !ok {
		t.Fatalf("the answer is %s", answer)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	for _, f := range a.BatchItemFailures {
		out = append(out, f.ItemIdentifier)
	}
	return out
}

// Of a batch of messages only those return whose objects can still be
// delivered; what is gone or cut off is told.
func TestFunction(t *testing.T) {
	w := newWorld(t)
	w.put("logs/a b/1.log.gz", 3000)
	w.put("logs/2.log.gz", 10)
	w.put("logs/broken.log.gz", 20_000)
	w.put("logs/cut.log.gz", 20_000)
	w.objects["logs/cut.log.gz"] = w.objects["logs/cut.log.gz"][:len(w.objects["logs/cut.log.gz"])/2]
	w.broken["logs/broken.log.gz"] = true
	log := w.start(t)

	if a := w.invoke(t, s3Event(created("a+b/1.log.gz"), created("2.log.gz")), 14*time.Minute); !strings.HasPrefix(a, "response") {
		t.Errorf("%s %s", a, log)
	}
	if n := w.arrived("logs/a b/1.log.gz"); n != 3000 {
		t.Errorf("%d lines came: %s", n, log)
	}
	answer := w.invoke(t, sqsEvent(t, s3Event(created("2.log.gz")), s3Event(created("gone.log.gz")), s3Event(created("broken.log.gz")),
		s3Event(created("cut.log.gz")), object{"Event": "s3:TestEvent"}, object{"what": "is this"}), 14*time.Minute)
	if diff := cmp.Diff([]string{"m2", "m5"}, failures(t, answer)); diff != "" {
		t.Errorf("%s %s", diff, log)
	}
	for _, want := range []string{`"object":"logs/gone.log.gz"`, `"gone":true`, `"event":"set_aside"`, "broken in line"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in the log: %s", want, log)
		}
	}
	if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "session") {
		t.Error("credentials are in the log")
	}
	// An event of S3 itself returns as a whole.
	if a := w.invoke(t, s3Event(created("broken.log.gz")), 14*time.Minute); !strings.HasPrefix(a, "error") {
		t.Errorf("%s", a)
	}
}

// What there is no time for returns; package lambda tests when.
func TestClockOfTheInvocation(t *testing.T) {
	w := newWorld(t)
	w.slow = time.Hour
	w.put("logs/1.log.gz", 30_000)
	w.put("logs/2.log.gz", 10)
	w.start(t)
	answer := w.invoke(t, sqsEvent(t, s3Event(created("1.log.gz")), s3Event(created("2.log.gz"))), 10*time.Second)
	if diff := cmp.Diff([]string{"m0", "m1"}, failures(t, answer)); diff != "" {
		t.Error(diff)
	}
}

func TestSettings(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"TIDEMARK_TRAFFIC_TO", "", "no http or https URL"},
		{"AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID is not set"},
		{"TIDEMARK_TRAFFIC_CA", "/nowhere", "no such file"},
	} {
		for name, value := range map[string]string{"TIDEMARK_TRAFFIC_TO": "http://here", "AWS_REGION": "r", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"} {
			t.Setenv(name, value)
		}
		t.Setenv(test.name, test.value)
		if _, err := newHandler(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s=%q: %v", test.name, test.value, err)
		}
	}
}
