package installer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kardianos/service"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStopEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{ctx: t.Context(), exit: func(err error) { t.Errorf("exit: %v", err) },
			work: func(ctx context.Context) error { <-ctx.Done(); time.Sleep(10 * time.Second); return nil }}
		if err := p.Start(nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(nil); err != nil {
			t.Error(err)
		}
	})
}

func TestWorkThatDiesEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		died := errors.New("died")
		var exited error
		p := &program{ctx: t.Context(), exit: func(err error) { exited = err },
			work: func(context.Context) error { return died }}
		if err := p.Start(nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(exited, died) {
			t.Errorf("exit: %v", exited)
		}
		_ = p.Stop(nil)
	})
}

func TestWorkThatHangsEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var exited error
		p := &program{ctx: t.Context(), exit: func(err error) { exited = err },
			work: func(context.Context) error { <-release; return nil }}
		if err := p.Start(nil); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := p.Stop(nil); !errors.Is(err, context.DeadlineExceeded) || exited == nil {
			t.Errorf("%v, exit %v", err, exited)
		}
		if took := time.Since(begin); took != StopTime {
			t.Errorf("after %s", took)
		}
		close(release)
	})
}

func TestSettings(t *testing.T) {
	c := settings(Options{Name: "tidemark", User: "tm"}, "/etc/tidemark/tidemark.yaml")
	if got := strings.Join(c.Arguments, " "); got != "run --config /etc/tidemark/tidemark.yaml" || c.UserName != "tm" {
		t.Errorf("%q, %q", got, c.UserName)
	}
	if c.Option["OnFailure"] != "restart" {
		t.Errorf("%v", c.Option)
	}
	for _, line := range []string{"Restart=always", "RestartSec=20", "NoNewPrivileges=yes", "StartLimitIntervalSec=0"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
}

func TestNoManager(t *testing.T) {
	if service.Platform() == "linux-systemd" {
		t.Skip("systemd is here")
	}
	if _, err := New(Options{Config: "x"}); !errors.Is(err, ErrNoManager) {
		t.Errorf("%v", err)
	}
}
