package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/postgres"
	"tidemark/cloud/scrub"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// defaultListen is this machine alone: without a certificate keys are sent as
// they are.
const defaultListen = "127.0.0.1:8080"

// serveFlags are the flags of serve.
type serveFlags struct {
	listen    string
	proxies   []string
	tls       tlsFlags
	log       logFlags
	limits    limitFlags
	scrub     time.Duration
	checkIn   time.Duration
	volume    volumeFlag
	keepAudit time.Duration
	record    recordFlags
	fleet     fleetFlags
}

func newServe(a *app) *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer the API until a signal says to end",
		Long: `Answers the API over the store, which is made where it is not there yet. Several
servers may share a Postgres database; a SQLite file belongs to one.

SIGINT and SIGTERM end it: batches in work are finished, for at most 20 seconds,
while new connections are refused. A second signal ends it at once; what was not
finished is undone by the store and sent again by the agent.

Work beyond the limits waits for a turn and is then refused with 503 and a time to
come back: comparisons first, batches of changes last. --writes, --reads, --loads
and --diffs are the most of each kind; there is less at once when it takes the
store longer than usual. Servers that share a Postgres database share its
connections, and never take more than it allows together.

All summaries are held against their rows once every --scrub-every, one table at
a time; where several servers share a database, one of them is enough. A summary
that is wrong is an alarm in log and metrics, and is made anew.

A site on which nothing happens checks in once every --check-in, at a place in
time of its own; a cloud that was put back to an earlier state is noticed then.

Rollouts with bounds are watched, by one of the servers that share a database; a
step that is too much is taken back (tidemark-cloud rollout).

What requests cost is written down once a minute (tidemark-cloud cost). With
--io-volume the burst that a cloud volume has left is modelled from what Postgres
counts; log, metrics and the fleet page tell before it runs out.

With --fleet-listen it shows the fleet to operators (tidemark-cloud operators), at
an address of its own. That is off by default and apart from the API, because the
page shows all customers: open it to operators' networks alone.

Agents reach it at its URL; /healthz, /readyz and /metrics need no key. With
--tls-cert it speaks HTTPS, and reads a renewed certificate by itself. Without,
put something that does in front, and name it with --behind-proxy: keys are in
every request.`,
		Example: `  tidemark-cloud serve
  TIDEMARK_STORE=postgres://tidemark@db/tidemark tidemark-cloud serve --listen :8443 \
      --tls-cert server.crt --tls-key server.key
  tidemark-cloud serve --listen 10.0.0.5:8080 --behind-proxy 10.0.0.2,10.0.0.3`,
		Args: cobra.NoArgs,
	}
	a.storeFlag(c.Flags())
	c.Flags().StringVar(&f.listen, "listen", defaultListen, "address to listen on")
	f.tls.add(c.Flags())
	c.Flags().StringSliceVar(&f.proxies, "behind-proxy", nil, "networks of what speaks HTTPS in front, and tells in X-Forwarded-For who comes")
	f.log.add(c.Flags())
	f.limits.add(c.Flags())
	c.Flags().DurationVar(&f.scrub, "scrub-every", 7*24*time.Hour, "time to scrub all tables in; 0: not at all")
	c.Flags().DurationVar(&f.checkIn, "check-in", 30*time.Minute, "time between check-ins of a site; 0: no leases")
	c.Flags().DurationVar(&f.keepAudit, "keep-audit", 2*365*24*time.Hour, "how long changes by operators stay recorded; 0: for ever")
	f.volume.add(c.Flags())
	f.record.add(c.Flags())
	f.fleet.add(c.Flags())
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), f) }
	return c
}

// serve holds everything against what it has to be before it opens the store,
// and the address before it answers anybody.
func (a *app) serve(ctx context.Context, f serveFlags) (err error) {
	log, err := f.log.logger(a.err)
	if err != nil {
		return err
	}
	limits, err := f.limits.limits()
	if err != nil {
		return err
	}
	tlsConfig, err := f.tls.config()
	if err != nil {
		return err
	}
	if err := f.fleet.check(tlsConfig); err != nil {
		return err
	}
	proxies, err := readProxies(f.proxies)
	if err != nil {
		return err
	}
	if f.keepAudit < 0 {
		return &command.ConfigError{Err: fault.New("read --keep-audit", errors.New("it is negative"), "0 keeps the record for ever")}
	}
	if f.scrub < 0 {
		return &command.ConfigError{Err: fault.New("read --scrub-every", errors.New("it is negative"), "0 turns it off")}
	}
	leases, err := leaseTerms(f.checkIn)
	if err != nil {
		return err
	}
	volume, err := f.volume.volume()
	if err != nil {
		return err
	}
	store, err := a.open(ctx, postgres.Options{Connections: f.limits.connections, Reserve: f.limits.reserve, Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return &command.ConfigError{Err: fault.New("listen", err, "--listen takes host:port; is another program there?")}
	}
	log.Info("serving", zap.String("version", build()), zap.Stringer("address", l.Addr()), zap.Bool("tls", tlsConfig != nil))
	exposed := a.exposed(f, tlsConfig)
	exposed.warn(log)
	scrubber := &scrub.Scrubber{Store: store, Log: log, Every: f.scrub}
	costs := newKeeper(store, volume, log)
	tap, endRecording, err := f.record.begin(log)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, endRecording()) }()
	page, endPage, err := a.startFleet(ctx, f.fleet, f.checkIn, store, costs.Balance, tlsConfig, proxies, log)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, endPage()) }()
	watcher := newWatcher(store, a.pace, log)
	server := cloud.New(cloud.Config{Store: store, Logger: log, Limits: limits, Leases: leases, Costs: costs.Meter, Tap: tap, Proxies: proxies, Extra: func(w io.Writer) {
		scrubber.WriteMetrics(w)
		costs.WriteMetrics(w)
		page.WriteMetrics(w)
		watcher.WriteMetrics(w)
		exposed.WriteMetrics(w)
	}})
	watcher.Figures = cloud.Watched{Server: server, Costs: costs}
	defer until(ctx, watcher.Run)()
	defer until(ctx, (&cloud.Archivist{Store: store, Keep: f.keepAudit, Log: log}).Run)()
	store.CatchUp()
	defer startScrubbing(ctx, scrubber)()
	defer until(context.WithoutCancel(ctx), costs.Run)() // until all requests are answered
	notify("READY=1")
	stopping := sync.OnceFunc(func() { notify("STOPPING=1") })
	defer stopping() // an idle server ends before AfterFunc has begun
	defer context.AfterFunc(ctx, stopping)()
	if err := server.Serve(ctx, l, tlsConfig); err != nil {
		return fault.New("serve", err, "")
	}
	log.Info("stopped")
	return nil
}

// leaseTerms reads --check-in.
func leaseTerms(every time.Duration) (cloud.LeaseTerms, error) {
	switch {
	case every == 0:
		return cloud.LeaseTerms{Every: -1}, nil
	case every < time.Minute || every > cloud.MaxLease:
		return cloud.LeaseTerms{}, &command.ConfigError{Err: fault.New("read --check-in", fmt.Errorf("%s is not between 1m and 24h", every), "0 turns leases off")}
	}
	return cloud.LeaseTerms{Every: every}, nil
}

// startScrubbing scrubs until what it returns is called.
func startScrubbing(ctx context.Context, s *scrub.Scrubber) (stop func()) {
	if s.Every == 0 {
		return func() {}
	}
	return until(ctx, s.Run)
}

// newKeeper keeps what requests cost, and what the store's database counts.
func newKeeper(store cloud.Store, volume cost.Volume, log *zap.Logger) *cost.Keeper {
	k := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: store, Volume: volume, Log: log}
	k.Source, _ = store.(cost.Source)
	if k.Source == nil && volume != (cost.Volume{}) {
		log.Warn("--io-volume is of no use: the store does not count what it reads and writes")
		k.Volume = cost.Volume{}
	}
	return k
}

// until runs f until what it returns is called, which waits for its end.
func until(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}
