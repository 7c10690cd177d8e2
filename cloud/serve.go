package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Times of the HTTP server itself, besides those of Limits.
const (
	idleTime  = 3 * time.Minute // longer than the keep-alive of an agent's client
	drainTime = 20 * time.Second
)

// maxHeaderBytes bounds a request's head: a key, a path, proxies' additions.
const maxHeaderBytes = 32 << 10

// Serve answers on l until ctx ends, then finishes what is in work, for at
// most 20 seconds. With a TLS configuration it speaks TLS and HTTP/2. It
// closes l and returns nil when it ended as asked.
func (s *Server) Serve(ctx context.Context, l net.Listener, t *tls.Config) error {
	errorLog, err := zap.NewStdLogAt(s.log.Named("http"), zap.DebugLevel)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           s,
		TLSConfig:         t,
		ReadHeaderTimeout: s.limits.HeadTime,
		IdleTimeout:       idleTime,
		WriteTimeout:      s.limits.BodyTime + s.limits.RequestTime + s.limits.AnswerTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}
	ended := make(chan error, 1)
	go func() {
		if t != nil {
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err = server.Shutdown(drain)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
