package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"tidemark/agent"
	"tidemark/internal/bench/cputime"
)

const (
	idleTables = 50
	idleFor    = 15 * time.Second
)

// idle counts what a running service does about tables that do not change.
func (b *bench) idle(ctx context.Context) (err error) {
	note("%d unchanged tables", idleTables)
	var tables []string
	for i := range idleTables {
		name := fmt.Sprintf("dbo.still%02d", i)
		if err := b.source.create(name, 100); err != nil {
			return err
		}
		tables = append(tables, name)
	}
	s, err := b.newSite(ctx, tables)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if _, err := b.programs.once(ctx, s.config, nil); err != nil {
		return err
	}
	service, err := b.programs.service(ctx, s.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.stop()) }()
	before, err := s.settled(ctx, tables[0])
	if err != nil {
		return err
	}
	if _, err := b.source.statements(); err != nil { // those until now do not count
		return err
	}
	asked, err := s.api.requests(ctx)
	if err != nil {
		return err
	}
	cpu := cputime.Of(service.cmd.Process.Pid)
	if !sleep(ctx, idleFor) {
		return ctx.Err()
	}
	cpu = cputime.Of(service.cmd.Process.Pid) - cpu
	statements, err := b.source.statements()
	if err != nil {
		return err
	}
	askedAfter, err := s.api.requests(ctx)
	if err != nil {
		return err
	}
	after, err := s.cycles(ctx, tables[0])
	if err != nil {
		return err
	}
	b.reportIdle(after-before, len(statements), askedAfter-asked, cpu)
	return nil
}

func (b *bench) reportIdle(cycles, statements, requests int, cpu time.Duration) {
	// A cycle may begin between the look at the journal and that at the log.
	met := cycles > 0 && statements <= cycles+1 && statements >= cycles-1
	b.report.lines = append(b.report.lines,
		line{
			what: fmt.Sprintf("%d unchanged tables: statements", idleTables), figure: fmt.Sprintf("%d in %d cycles", statements, cycles),
			ratio: fmt.Sprintf("%.2f", float64(statements)/float64(max(cycles, 1))), goal: "1 a cycle", met: met,
		},
		line{what: "  requests to the cloud", figure: fmt.Sprint(requests), goal: "none", met: requests == 0 && cycles > 0},
	)
	b.report.add("  CPU of the agent", "%.1f ms a cycle", cpu.Seconds()*1000/float64(max(cycles, 1)))
}

// settled waits until the service has looked at the tables twice: the first
// time it reads the catalog. It returns the cycles so far.
func (s *site) settled(ctx context.Context, table string) (int, error) {
	first := -1
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		n, err := s.cycles(ctx, table)
		if err == nil && first < 0 {
			first = n
		}
		if err == nil && n >= first+2 {
			return n, nil
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
	return 0, errors.New("the service runs no cycles")
}

// cycles is how many cycles in a row a table has skipped, of the journal.
func (s *site) cycles(ctx context.Context, table string) (int, error) {
	out, err := exec.CommandContext(ctx, s.programs.agent, "explain", table, "--json", "--config", s.config).Output()
	if err != nil {
		return 0, fmt.Errorf("explain: %w", err)
	}
	var e agent.Explanation
	if err := json.Unmarshal(out, &e); err != nil {
		return 0, err
	}
	if e.Entry == nil || e.Entry.Action != "skip" {
		return 0, errors.New("explain: the table does not skip")
	}
	return e.Entry.Repeated, nil
}

// A service is the running agent.
type service struct {
	cmd *exec.Cmd
}

func (p programs) service(ctx context.Context, config string) (*service, error) {
	s := &service{exec.CommandContext(ctx, p.agent, "run", "--config", config)}
	var said strings.Builder
	s.cmd.Stderr = &said
	return s, s.cmd.Start()
}

func (s *service) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("service: %w\n%s", err, s.cmd.Stderr)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
