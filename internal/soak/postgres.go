//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/pgtest"
)

// A database is the Postgres server, as a daemon.
type database struct {
	server *pgtest.Server
	name   string
	*daemon
}

// pgSettings make it survive kills, as in production, and fit its disk.
var pgSettings = map[string]string{
	"fsync": "on", "full_page_writes": "on", "max_wal_size": "128MB", "min_wal_size": "32MB", "shared_buffers": "64MB",
	"checkpoint_timeout": "30s", "wal_recycle": "off", // a full disk is to be full for the log, too
}

// startPostgres starts it where TMPDIR says.
func startPostgres(ctx context.Context, log io.Writer) (db *database, err error) {
	s, err := pgtest.Launch(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	db = &database{server: s}
	if db.name, err = s.CreateDatabase(ctx); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return nil, err
	}
	for name, value := range pgSettings {
		if _, err = conn.Exec(ctx, "ALTER SYSTEM SET "+name+" = '"+value+"'"); err != nil {
			break
		}
	}
	if err = errors.Join(err, conn.Close(ctx), s.Halt(ctx)); err != nil {
		return nil, err
	}
	// It ends by itself when its disk is full.
	db.daemon = &daemon{name: "Postgres", build: func(ctx context.Context) *exec.Cmd { return s.Command(ctx) }, out: log, may: anyEnd}
	db.start()
	return db, until(ctx, "Postgres answers", func(ctx context.Context) error {
		_, err := db.connections(ctx)
		return err
	})
}

// dsn names the database for a program.
func (db *database) dsn(program string) string {
	return db.server.DSN(db.name) + "&application_name=" + program
}

// connections are those that the API has.
func (db *database) connections(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.dsn("soak"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tidemark-cloud'").Scan(&n)
	return n, err
}

// newSegment has it want room for another file of its log, without which it
// ends; where it is away already there is nothing to do.
func (db *database) newSegment(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.dsn("soak"))
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	_, _ = conn.Exec(ctx, "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'soak', 'of the next file')")
}

// killBackend kills one of the processes that serve the API, which has
// Postgres throw all of them out and recover.
func (db *database) killBackend() bool {
	pid := db.pid()
	if pid == 0 {
		return false
	}
	for _, child := range children(pid) {
		if strings.Contains(commandLine(child), "tidemark "+db.name+" ") {
			return syscall.Kill(child, syscall.SIGKILL) == nil
		}
	}
	return false
}

func (db *database) close() error {
	return errors.Join(db.end(syscall.SIGQUIT, time.Minute), db.server.Close())
}

// children are the processes whose parent is pid.
func children(pid int) (all []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, t := range tasks {
		for _, f := range strings.Fields(read(t)) {
			if n, err := strconv.Atoi(f); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

func commandLine(pid int) string {
	return strings.ReplaceAll(read(fmt.Sprintf("/proc/%d/cmdline", pid)), "\x00", " ") + " "
}
