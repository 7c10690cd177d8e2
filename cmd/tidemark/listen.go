package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/fault"
)

// A listener answers over HTTP, for Prometheus or for a browser.
type listener struct {
	name    string
	address string // as it was asked for
	on      net.Listener
	http    *http.Server
	also    func(context.Context) // runs beside it; may be nil
	end     func()                // ends run and waits for it
}

func listen(ctx context.Context, name, address string, h http.Handler, also func(context.Context)) (*listener, error) {
	on, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New("listen for "+name, err, "give "+name+".listen another port in the configuration, or leave it out")
	}
	return &listener{name: name, address: address, on: on, also: also, http: &http.Server{
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
