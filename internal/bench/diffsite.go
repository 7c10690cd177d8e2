package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/agent"
	"tidemark/internal/bench/cputime"
)

// diffTable is the table of all comparisons: narrow, so that what is measured
// is not the width of its rows. Its keys are even: those between are free for
// rows that only the cloud has.
const diffTable = "dbo.compared"

// A diffSite is a site that is loaded, with the agent running as a service
// that does nothing unasked.
type diffSite struct {
	*site
	front   *front
	service *service
	conn    *pgx.Conn
	data    string // the table of the rows in Postgres
	loaded  run
}

func (b *bench) newDiffSite(ctx context.Context, rows int) (s *diffSite, err error) {
	s = &diffSite{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	if _, err := b.source.ask(order{Create: diffTable, Rows: rows, Narrow: true}); err != nil {
		return s, err
	}
	if s.site, err = b.newSite(ctx, nil); err != nil {
		return s, err
	}
	if s.front, err = startFront(ctx, s.api); err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp(b.dir, "diff")
	if err != nil {
		return s, err
	}
	if s.config, err = writeConfig(dir, &api{url: s.front.url, key: s.api.key}, b.source.dsn, []string{diffTable}, 168*time.Hour); err != nil {
		return s, err
	}
	if s.conn, err = pgx.Connect(ctx, s.database); err != nil {
		return s, err
	}
	note("first load of %d rows", rows)
	if s.loaded, err = s.programs.once(ctx, s.config, nil); err != nil {
		return s, err
	}
	if s.data, err = dataTable(ctx, s.conn); err != nil {
		return s, err
	}
	if err := s.summarized(ctx); err != nil {
		return s, err
	}
	if s.service, err = s.programs.service(ctx, s.config); err != nil {
		return s, err
	}
	return s, s.quiet(ctx)
}

// summarized waits until the cloud has made the summary of the first load.
func (s *diffSite) summarized(ctx context.Context) error {
	asked := false
	for end := time.Now().Add(20 * time.Minute); time.Now().Before(end); {
		var ready bool
		err := s.conn.QueryRow(ctx, "SELECT coalesce(bool_and(ready), false) FROM tidemark.summaries").Scan(&ready)
		if err != nil || ready {
			return err
		}
		if !asked { // a question without an answer has it made
			asked = true
			_ = s.api.get(ctx, "/v1/customers/"+customer+"/tables/"+diffTable+"/summary")
		}
		if !sleep(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errors.New("the cloud makes no summary")
}

func (s *diffSite) close(ctx context.Context) error {
	var errs []error
	if s.service != nil {
		errs = append(errs, s.service.stop())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close(ctx))
	}
	if s.front != nil {
		errs = append(errs, s.front.close())
	}
	if s.site != nil {
		errs = append(errs, s.site.close(ctx), s.source.exec("DROP TABLE "+diffTable))
	}
	return errors.Join(errs...)
}

// compared is what one comparison took.
type compared struct {
	agent.DiffReport
	traffic traffic
	buffers buffers
	cpu     time.Duration
	peak    int64 // bytes resident
}

// compare has the service compare the table.
func (s *diffSite) compare(ctx context.Context, dryRun bool) (c compared, err error) {
	pid := s.service.cmd.Process.Pid
	before, err := s.counted(ctx)
	if err != nil {
		return c, err
	}
	s.front.take()
	// Linux: the peak begins anew, proc(5).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return c, err
	}
	cpu := cputime.Of(pid)
	args := []string{"diff", diffTable, "--json", "--config", s.config}
	if dryRun {
		args = append(args, "--dry-run")
	}
	cmd := exec.CommandContext(ctx, s.programs.agent, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, failed := cmd.Output()
	c.cpu = cputime.Of(pid) - cpu
	if c.peak, err = peakOf(pid); err != nil {
		return c, err
	}
	if err := json.Unmarshal(out, &c.DiffReport); err != nil { // it fails also for differences, with a report
		return c, fmt.Errorf("diff: %w\n%s", errors.Join(failed, err), &said)
	}
	c.traffic = s.front.take()
	after, err := s.counted(ctx)
	c.buffers = after.minus(before)
	return c, err
}

// peakOf is the highest resident size of a process, bytes.
func peakOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	kib, err := strconv.ParseInt(strings.TrimSuffix(field(text, "VmHWM"), " kB"), 10, 64)
	return kib << 10, err
}
