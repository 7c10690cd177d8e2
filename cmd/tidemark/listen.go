package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/metrics"
	"tidemark/agent/page"
	"tidemark/internal/fault"
)

// A listener answers over HTTP, for Prometheus or for a browser.
type listener struct {
	name string
	on   net.Listener
	http *http.Server
	also func(context.Context) // runs beside it; may be nil
}

// openListeners opens those that the configuration names. One that cannot be
// opened is told to the log: it is no reason to send nothing.
func openListeners(ctx context.Context, c *config.Config, ag *agent.Agent, sums *metrics.Recorder, log *zap.Logger) (all []*listener) {
	open := func(name, address string, h http.Handler, also func(context.Context)) {
		l, err := listen(ctx, name, address, h)
		if err != nil {
			log.Error("listening.failed", zap.String("for", name), zap.Error(err), zap.String("hint", fault.Hint(err)))
			return
		}
		l.also = also
		all = append(all, l)
	}
	if c.Metrics.Listen != "" {
		open("metrics", c.Metrics.Listen, metrics.Handler(ag, sums, build(), time.Now()), nil)
	}
	if c.UI.Listen != "" {
		history := page.NewHistory()
		open("ui", c.UI.Listen, page.Handler(page.Site{Viewer: ag, Journal: ag.Journal, History: history, Version: build()}), func(ctx context.Context) {
			history.Run(ctx, ag, func(table string) int64 {
				t := sums.Table(table)
				return t.Inserted + t.Updated + t.Deleted
			})
		})
	}
	return all
}

func listen(ctx context.Context, name, address string, h http.Handler) (*listener, error) {
	on, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New("listen for "+name, err, "give "+name+".listen another port in the configuration, or leave it out")
	}
	return &listener{name: name, on: on, http: &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
	}}, nil
}

// run answers until ctx ends. A listener that fails is told to the log and
// stops nothing else.
func (l *listener) run(ctx context.Context, log *zap.Logger) {
	log.Info("listening", zap.String("for", l.name), zap.Stringer("address", l.on.Addr()))
	also := make(chan struct{})
	go func() {
		defer close(also)
		if l.also != nil {
			l.also(ctx)
		}
	}()
	served := make(chan error, 1)
	go func() { served <- l.http.Serve(l.on) }()
	select {
	case err := <-served:
		log.Error("listening.failed", zap.String("for", l.name), zap.Error(err))
		<-also
		return
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if l.http.Shutdown(stop) != nil {
		_ = l.http.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		log.Error("listening.failed", zap.String("for", l.name), zap.Error(err))
	}
	<-also
}
