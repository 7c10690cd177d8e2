package sim

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/sqlserver"
	"tidemark/uploader"
)

// An agentSide is an agent with its machine.
type agentSide struct {
	w      *world
	name   string
	host   string
	dir    string
	agent  *agent.Agent
	stop   func()
	ended  chan struct{}
	up     bool
	dead   bool // cut off: what still runs of it reaches nobody
	offset time.Duration
	old    []byte // its state some time ago
	killAt Step
	starts int
	full   *fullDisk
}

func (s *agentSide) now() time.Time { return time.Now().Add(s.offset) }
func (s *agentSide) file() string   { return filepath.Join(s.dir, state.FileName) }

// dialer dials one host for one start of the agent.
type dialer struct {
	s     *agentSide
	start int
	host  string
}

func (d dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if d.s.dead || d.s.starts != d.start {
		return nil, errRefused
	}
	return d.s.w.net.dial(ctx, d.s.name, d.host)
}

func (dialer) HostName() string { return "localhost" }

func (s *agentSide) start() {
	s.starts++
	s.dead = false
	w, set := s.w, s.w.plan.Setup
	src, err := sqlserver.Open(sqlserver.Config{Server: "source", Database: "site", User: "tidemark", Password: "secret",
		Encrypt: sqlserver.EncryptOff, Dialer: dialer{s, s.starts, "source"}})
	if err != nil {
		w.fail("sim: %v", err)
		return
	}
	cloud := dialer{s, s.starts, "cloud"}
	transport := &http.Transport{DialContext: cloud.DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second}
	client, err := uploader.New(uploader.Config{BaseURL: "http://cloud", Customer: customer, Key: func() (string, error) { return key, nil },
		Transport: &courier{w, s, transport}, Rand: w.random})
	if err != nil {
		w.fail("sim: %v", err)
		return
	}
	site := agent.Site{Customer: customer, Host: s.host, Cloud: client, Sources: []agent.SourceSite{{Name: "main", Source: src}}}
	for _, name := range set.Tables {
		site.Sources[0].Tables = append(site.Sources[0].Tables, agent.TableSite{
			Dataset: name, Schema: "dbo", Name: name, Interval: time.Duration(set.Interval),
			ForcedSkips: set.ForcedSkips, MaxSkips: set.MaxSkips, VerifyEvery: time.Duration(set.Verify), CountEvery: 20 * time.Minute,
			Limits: sqlserver.Limits{ChunkRows: set.ChunkRows},
		})
	}
	run := s.starts
	a, err := agent.New(site, agent.Options{StateDir: s.dir, Log: zap.New(logCore{w, s.name}), Now: s.now, Rand: w.random,
		Decided: func(e journal.Entry) {
			if !s.dead && s.starts == run {
				w.decided(s, e)
			}
		}})
	if err != nil {
		w.fail("the agent does not start: %v", err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.agent, s.stop, s.ended, s.up = a, cancel, make(chan struct{}), true
	ended := s.ended
	w.forgetSkips()
	w.say(s.name, "starts")
	w.go_(func() {
		defer close(ended)
		if err := a.Run(ctx); err != nil {
			w.fail("the agent ended: %v", err)
		}
		if err := a.Close(); err != nil && !s.dead {
			w.say(s.name, "close: %v", err)
		}
		transport.CloseIdleConnections()
	})
}

// hit kills the agent at a request when the plan says so.
func (s *agentSide) hit(point, what string) bool {
	k := &s.killAt
	if k.Do == "" || k.Kind != point || k.What != "any" && k.What != what {
		return false
	}
	if k.N--; k.N >= 0 {
		return false
	}
	down := time.Duration(k.For)
	*k = Step{}
	s.w.fault("agent killed " + point + " a request")
	s.w.say(s.name, "is killed %s a request (%s), for %s", point, what, down)
	s.w.operate(func() { s.kill("", down) })
	return true
}

// kill ends the agent as a power cut does; by the surgeon alone. How says what
// became of its state file.
func (s *agentSide) kill(how string, down time.Duration) {
	if !s.up {
		return
	}
	s.mend()
	disk, err := os.ReadFile(s.file())
	if err != nil {
		s.w.fail("sim: %v", err)
	}
	switch how {
	case "lost":
		disk = nil
	case "old":
		if s.old != nil {
			disk = s.old
		}
	case "damaged":
		disk = append([]byte("no state at all"), disk[15:]...)
		copy(disk[4096:], "nor here")
	case "cut":
		disk = disk[:len(disk)/2]
	}
	s.up, s.dead = false, true
	s.w.net.cut("cloud", s.name)
	s.w.net.cut("source", s.name)
	s.stop()
	ended := s.ended
	s.w.owing.Add(1)
	s.w.go_(func() {
		defer s.w.owing.Add(-1)
		<-ended
		if disk == nil {
			_ = os.Remove(s.file())
		} else if err := os.WriteFile(s.file(), disk, 0o600); err != nil {
			s.w.fail("sim: %v", err)
		}
		time.Sleep(down)
		if !s.w.over {
			s.start()
		}
	})
}

// halt ends the agent as a service manager does.
func (s *agentSide) halt(down time.Duration, again bool) {
	if !s.up {
		return
	}
	s.mend()
	s.up = false
	s.stop()
	ended := s.ended
	s.w.owing.Add(1)
	s.w.go_(func() {
		defer s.w.owing.Add(-1)
		<-ended
		s.dead = true
		time.Sleep(down)
		if again && !s.w.over {
			s.start()
		}
	})
}

func (s *agentSide) mend() {
	if s.full != nil {
		s.full.mend()
		s.full = nil
	}
}
