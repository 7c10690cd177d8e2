package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/state"
)

// Room on the disk of the state directory: below the first is too little to
// work with, below the second is worth knowing.
const (
	tooFull = 64 << 20
	full    = 1 << 30
)

// examineService looks at the service and the account that it runs as, and
// returns its status, nil where there is none.
func examineService(ctx context.Context, c *config.Config) ([]finding, *agent.Status) {
	client := control.NewClient(c.StateDir)
	defer client.Close()
	f := finding{What: "service", Verdict: good, Message: "running"}
	s, err := client.Status(ctx)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		f.Verdict, f.Message = advice, "not running"
		f.Hint = "start it with `tidemark service start`"
	case err != nil:
		return []finding{failed("service", err)}, nil
	}
	all := []finding{f}
	if err == nil {
		if p, err := client.Process(ctx); err == nil {
			all[0].Message = fmt.Sprintf("running, process %d", p.PID)
			all = append(all, judgeAccount(p.Account))
		}
		return append(all, examineListeners(ctx, c)...), &s
	}
	if name, ok := ownerOf(filepath.Join(c.StateDir, state.FileName)); ok {
		all = append(all, judgeAccount(name))
	}
	return all, nil
}

// judgeAccount tells what is to be known of the service's account.
func judgeAccount(name string) finding {
	f := finding{What: "service account", Verdict: good, Message: name}
	switch strings.ToLower(name) {
	case "root", `nt authority\system`:
		f.Verdict = advice
		f.Hint = "it needs no such rights: `tidemark service install` gives it an account of its own"
	}
	if me, err := user.Current(); err == nil && !strings.EqualFold(me.Username, name) {
		f.Notes = append(f.Notes, fmt.Sprintf("doctor runs as %s: what that account can read, the service's may not be able to", me.Username))
	}
	return f
}

// examineDisk looks for room where the state is.
func examineDisk(c *config.Config) finding {
	f := finding{What: "state directory", Verdict: good}
	free, err := freeSpace(c.StateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Message = c.StateDir + " is not there yet: the service makes it when it starts"
		return f
	case err != nil:
		return failed(f.What, &os.PathError{Op: "look at", Path: c.StateDir, Err: err})
	}
	f.Message = fmt.Sprintf("%s, %s free", c.StateDir, size(int64(min(free, 1<<62))))
	switch {
	case free < tooFull:
		f.Verdict, f.Hint = wrong, "make room: without, the service forgets with every restart what it knew, and compares again"
	case free < full:
		f.Verdict, f.Hint = advice, "make room before the disk is full"
	}
	return f
}

// examineAside looks for a damaged state that was set aside.
func examineAside(c *config.Config) []finding {
	aside := state.Aside(c.StateDir)
	if len(aside) == 0 {
		return nil
	}
	return []finding{{
		What: "damaged state", Verdict: advice, Message: aside[len(aside)-1] + " was set aside because it was damaged, and a new one begun",
		Hint: "delete the file once support has seen it; if it happens again, look at the disk",
	}}
}

// examineListeners asks the running service where it should answer besides.
func examineListeners(ctx context.Context, c *config.Config) (all []finding) {
	for _, l := range []struct{ what, address, path string }{{"metrics", c.Metrics.Listen, "/metrics"}, {"local page", c.UI.Listen, "/"}} {
		if l.address == "" {
			continue
		}
		f := finding{What: l.what, Verdict: good, Message: "http://" + l.address + l.path + " answers"}
		if err := answers(ctx, f.Message[:len(f.Message)-len(" answers")]); err != nil {
			f.Verdict, f.Message = wrong, err.Error()
			f.Hint = "is another program on that port? `tidemark status` and the log (listening.failed) say why"
		}
		all = append(all, f)
	}
	return all
}

// answers asks this machine's own service, by no proxy.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
