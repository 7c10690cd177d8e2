//go:build unix

package trust_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/internal/pgtest"
)

// patience is how long something may take; only what fails takes all of it.
const patience = 10 * time.Minute

// bin is where the programs are.
var bin string

func TestMain(m *testing.M) { goleak.VerifyTestMain(programs{m}) }

type programs struct{ m *testing.M }

// Run builds the programs as they are shipped.
func (p programs) Run() int {
	dir, err := os.MkdirTemp("", "tidemark-trust-")
	if err == nil {
		bin = dir
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "tidemark/cmd/tidemark", "tidemark/cmd/tidemark-cloud")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		var out []byte
		if out, err = build.CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	code := 1
	if err == nil {
		code = p.m.Run()
	}
	if err = errors.Join(err, pgtest.Stop(), os.RemoveAll(dir)); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	return code
}

// A stage is where programs run, and all that they say.
type stage struct {
	t    *testing.T
	dir  string
	env  []string
	mu   sync.Mutex
	said map[string]*bytes.Buffer // by who said it
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), said: map[string]*bytes.Buffer{}}
	for _, v := range os.Environ() { // what PG* say here is not meant for the programs
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "TIDEMARK_") && !strings.Contains(strings.ToLower(v), "_proxy=") {
			s.env = append(s.env, v)
		}
	}
	return s
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// note keeps what was said.
func (s *stage) note(who string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said[who] == nil {
		s.said[who] = new(bytes.Buffer)
	}
	s.said[who].Write(text)
}

// A voice is what one program writes to a stream.
type voice struct {
	s   *stage
	who string
}

func (v voice) Write(b []byte) (int, error) {
	v.s.note(v.who, b)
	return len(b), nil
}

func (s *stage) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// run runs a command to its end, whatever that is, and returns what it said on
// standard output. What is not kept is a secret that is shown on purpose.
func (s *stage) run(keep bool, in string, args ...string) string {
	s.t.Helper()
	cmd, who := s.command(args...), strings.Join(args[:min(len(args), 3)], " ")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, voice{s, who}
	ended := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer ended.Stop()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = cmd.Wait() // the failures are wanted
	if keep {
		s.note(who, out.Bytes())
	}
	return strings.TrimSpace(out.String())
}

// start starts a program that is ended by what it returns, with a signal.
func (s *stage) start(who string, args ...string) (end func(syscall.Signal)) {
	s.t.Helper()
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = voice{s, who}, voice{s, who}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var once sync.Once
	end = func(signal syscall.Signal) {
		once.Do(func() {
			_ = cmd.Process.Signal(signal)
			killed := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			killed.Stop()
		})
	}
	s.t.Cleanup(func() { end(syscall.SIGKILL) })
	return end
}

// until waits for something.
func (s *stage) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.mu.Lock()
			for who, b := range s.said {
				s.t.Logf("%s:\n%s", who, b.Bytes()[max(0, b.Len()-3000):])
			}
			s.mu.Unlock()
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// heard tells whether somebody has said something.
func (s *stage) heard(who, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[who] != nil && strings.Contains(s.said[who].String(), text)
}

// answers waits until an address is listened on.
func (s *stage) answers(address string) {
	s.t.Helper()
	s.until(address+" answers", func() bool {
		c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}
