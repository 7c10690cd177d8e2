//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Sizes of the small disks.
const (
	postgresDisk = 1 << 30
	siteDisk     = 64 << 20
)

// A world is all that runs.
type world struct {
	dir      string
	programs programs
	ns       *namespace // nil: none
	pgDisk   *disk
	siteDisk *disk
	source   *source
	db       *database
	api      *daemon
	agent    *daemon
	front    *proxy // before the API
	back     *proxy // before Postgres
	cloud    *copyOf
	guard    *guard
	config   string // of the agent
	apiURL   string
	agentURL string
	lacks    []string // what is not run here, and why

	closers []func() error
}

// openWorld starts everything. On an error nothing is left.
func openWorld(ctx context.Context, o options) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close(false))
		}
	}()
	if w.dir, err = os.MkdirTemp("", "tidemark-soak-"); err != nil {
		return w, err
	}
	if err := os.Chmod(w.dir, 0o755); err != nil { // Postgres has a user of its own
		return w, err
	}
	if w.programs, err = buildPrograms(ctx, w.dir); err != nil {
		return w, err
	}
	w.place(ctx, o)
	if w.source, err = startSource(ctx, w.ns.wrap(), o.scale); err != nil {
		return w, err
	}
	w.closeLast(w.source.close)
	if err := w.startCloud(ctx, o); err != nil {
		return w, err
	}
	return w, w.startAgent(ctx, o)
}

// place makes what needs a right that this machine may not give.
func (w *world) place(ctx context.Context, o options) {
	var why error
	if o.short {
		w.lacks = append(w.lacks, "network namespaces and full disks: not in the short form")
	} else if w.ns, why = openNamespace(ctx); why != nil {
		w.lacks = append(w.lacks, "network cut and slowed between namespaces: "+why.Error())
	} else {
		w.closeLast(func() error { return w.ns.close(ctx) })
		if w.ns.lack != "" {
			w.lacks = append(w.lacks, w.ns.lack)
		}
	}
	for _, d := range []struct {
		at    **disk
		name  string
		bytes int64
	}{{&w.pgDisk, "postgres", postgresDisk}, {&w.siteDisk, "site", siteDisk}} {
		dir := filepath.Join(w.dir, d.name)
		if o.short {
			*d.at, why = &disk{dir: dir}, os.MkdirAll(dir, 0o755)
		} else {
			*d.at, why = openDisk(dir, d.bytes)
		}
		w.closeLast((*d.at).close)
		if why != nil {
			w.lacks = append(w.lacks, "the disk of "+d.name+" full: "+why.Error())
		}
	}
}

func (w *world) startCloud(ctx context.Context, o options) (err error) {
	if err := os.Chmod(w.pgDisk.dir, 0o777|os.ModeSticky); err != nil { // the server has a user of its own
		return err
	}
	if err := os.Setenv("TMPDIR", w.pgDisk.dir); err != nil { // where pgtest puts its server
		return err
	}
	log, err := w.log("postgres")
	if err != nil {
		return err
	}
	if w.db, err = startPostgres(ctx, log); err != nil {
		return err
	}
	w.closeLast(w.db.close)
	w.cloud = &copyOf{dsn: w.db.dsn("soak")}
	w.closeLast(w.cloud.close)
	config, err := net.ResolveTCPAddr("tcp", w.db.server.Addr())
	if err != nil {
		return err
	}
	if w.back, err = startProxy(ctx, "127.0.0.1:0", config.String(), o.seed+1); err != nil {
		return err
	}
	w.closeLast(w.back.close)
	listen, err := freeAddress(ctx, "127.0.0.1")
	if err != nil {
		return err
	}
	w.apiURL = "http://" + listen
	if log, err = w.log("api"); err != nil {
		return err
	}
	store := fmt.Sprintf("postgres://tidemark@%s/%s?sslmode=disable", w.back.addr(), w.db.name)
	w.api = &daemon{name: "API", build: w.programs.apiCommand(listen, store), out: log, may: apiMayEnd}
	w.api.start()
	w.closeLast(func() error { return w.api.end(syscall.SIGTERM, patience) })
	if w.front, err = startProxy(ctx, w.ns.address()+":0", listen, o.seed+2); err != nil {
		return err
	}
	w.closeLast(w.front.close)
	return until(ctx, "the API is ready", func(ctx context.Context) error { _, err := get(ctx, w.apiURL+"/readyz"); return err })
}

func (w *world) startAgent(ctx context.Context, o options) error {
	key, err := w.programs.addCustomer(ctx, w.db.dsn("soak"))
	if err != nil {
		return err
	}
	// The site's loopback is its own: what is free here is free there.
	metrics, err := freeAddress(ctx, "127.0.0.1")
	if err != nil {
		return err
	}
	w.agentURL = "http://" + metrics
	if w.config, err = (agentFile{
		dir: w.siteDisk.dir, url: "http://" + w.front.addr(), source: w.source.addr, metrics: metrics, tables: o.tables(),
	}).write(key); err != nil {
		return err
	}
	log, err := w.log("agent")
	if err != nil {
		return err
	}
	args := append(w.ns.wrap(), w.programs.agent, "run", "--config", w.config)
	w.agent = &daemon{name: "agent", build: func(ctx context.Context) *exec.Cmd { return command(ctx, args...) }, out: log}
	w.agent.start()
	w.closeLast(func() error { return w.agent.end(syscall.SIGTERM, patience) })
	w.guard = newGuard(w.cloud.rows, w.source.take, o.tables())
	return nil
}

func (w *world) log(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(w.dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err == nil {
		w.closeLast(f.Close)
	}
	return f, err
}

func (w *world) closeLast(f func() error) { w.closers = append(w.closers, f) }

// close ends everything, the last first. It keeps the folder where asked, for
// the logs in it.
func (w *world) close(keep bool) error {
	var errs []error
	if keep && w.siteDisk != nil && w.siteDisk.mounted { // which is gone with its file system
		errs = append(errs, os.CopyFS(filepath.Join(w.dir, "agent"), os.DirFS(filepath.Join(w.siteDisk.dir, "log"))))
	}
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	w.closers = nil
	if keep {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// settled waits until both sides are equal and the agent says that all is well.
func (w *world) settled(ctx context.Context, tables []table) (rows int, took time.Duration, err error) {
	began := time.Now()
	err = until(ctx, "both sides are equal", func(ctx context.Context) (err error) {
		if odd := w.agent.strange(); len(odd) > 0 {
			return fmt.Errorf("%w: %s", errHopeless, odd[0])
		}
		rows, err = equal(ctx, w.source, w.cloud, tables)
		return err
	})
	took = time.Since(began)
	if err == nil {
		err = until(ctx, "the agent says that all is well", func(ctx context.Context) error { return w.programs.status(ctx, w.config) })
	}
	return rows, took, err
}
