//go:build linux

package deploy_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidemark/internal/command/commandtest"
)

// An image is what the Dockerfile lays out, without Docker: a root with a
// program, folders of its own, and nothing else.
type image struct {
	t    *testing.T
	root string
}

const nobody = 65532

func (i *image) run(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", env
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Minute
	return cmd
}

// own makes a folder that the image's user owns.
func (i *image) own(name string) {
	i.t.Helper()
	path := filepath.Join(i.root, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		i.t.Fatal(err)
	}
	if err := os.Chown(path, nobody, nobody); err != nil {
		i.t.Fatal(err)
	}
}

// eventually runs a command of the image until it ends with 0.
func (i *image) eventually(args ...string) {
	i.t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, err := i.run(i.t.Context(), nil, args...).CombinedOutput()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
}

// The programs do in a container what the Dockerfile has them do: as a user
// without a name, in a root without a shell, a library or a temporary folder.
func TestProgramsInAnEmptyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root alone can change the root of a process")
	}
	i := &image{t, t.TempDir()}
	if err := os.Chmod(i.root, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(i.root, "usr/bin")+"/", "../cmd/tidemark", "../cmd/tidemark-cloud")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"var/lib/tidemark-cloud", "var/lib/tidemark", "keys", "etc/tidemark"} {
		i.own(name)
	}
	address := commandtest.FreeAddress()

	store := []string{"TIDEMARK_STORE=sqlite:/var/lib/tidemark-cloud/cloud.db"}
	key, err := i.run(t.Context(), store, "/usr/bin/tidemark-cloud", "customers", "add", "acme").Output()
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("compose/tidemark.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("cloud:8080", address, "server: sqlserver", "server: 127.0.0.1\n  port: 1", "metrics: {listen: \"0.0.0.0:9464\"}", "").Replace(string(config))
	for name, content := range map[string]string{"keys/acme.key": string(key), "etc/tidemark/tidemark.yaml": text} {
		if err := os.WriteFile(filepath.Join(i.root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var logs [2]bytes.Buffer
	cloud := i.run(ctx, store, "/usr/bin/tidemark-cloud", "serve", "--listen", address)
	agent := i.run(ctx, []string{"AGENT_PASSWORD=x"}, "/usr/bin/tidemark", "run", "--config", "/etc/tidemark/tidemark.yaml")
	for n, cmd := range []*exec.Cmd{cloud, agent} {
		cmd.Stderr = &logs[n]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			i.eventually("/usr/bin/tidemark-cloud", "ready", "--url", "http://"+address)
		}
	}
	i.eventually("/usr/bin/tidemark", "reload") // it answers, whatever its source does
	stop()
	for n, cmd := range []*exec.Cmd{cloud, agent} {
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("%v: %v\n%s", cmd.Args, err, logs[n].String())
		}
	}
}
