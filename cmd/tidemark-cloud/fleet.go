package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/fleet"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// fleetFlags turn the fleet page on. It is off by default, and then at an
// address of its own: it shows all customers, and has no business where agents
// come in.
type fleetFlags struct {
	listen string
	proxy  bool
	store  string // its URL, which may hold a password: never printed
}

func (f *fleetFlags) add(s *pflag.FlagSet) {
	s.StringVar(&f.listen, "fleet-listen", "", "address of the fleet page, for operators (default off)")
	s.StringVar(&f.store, "fleet-store", "", "postgres://... of a replica that the fleet page reads (or "+fleetStoreVar+")")
	s.BoolVar(&f.proxy, "fleet-behind-proxy", false, "something in front of the fleet page speaks HTTPS with browsers")
}

// check holds the flags against what is safe: keys and sessions travel over
// TLS, or do not leave the machine.
func (f *fleetFlags) check(t *tls.Config) error {
	if f.listen == "" || t != nil || f.proxy {
		return nil
	}
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return &command.ConfigError{Err: fault.New("read --fleet-listen", err, "it takes host:port")}
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return &command.ConfigError{Err: fault.New("read --fleet-listen", errors.New("operators' keys would be sent as they are"),
		"give --tls-cert and --tls-key, listen on 127.0.0.1, or say --fleet-behind-proxy where a proxy in front speaks HTTPS")}
}

// secure tells whether browsers come over TLS.
func (f *fleetFlags) secure(t *tls.Config) bool { return t != nil || f.proxy }

// startFleet makes the page, and shows it where it is turned on.
func (a *app) startFleet(ctx context.Context, f fleetFlags, checkIn time.Duration, store cloud.Store, balance func() (cost.Balance, bool), t *tls.Config, proxies cloud.Proxies, log *zap.Logger) (*fleet.Page, func() error, error) {
	if f.listen == "" {
		return nil, func() error { return nil }, nil
	}
	var shown fleet.Store = store
	end := func() {}
	if url := cmp.Or(f.store, os.Getenv(fleetStoreVar)); url != "" {
		replica, err := openReplica(ctx, url, log)
		if err != nil {
			return nil, nil, err
		}
		shown, end = replica, replica.close
	}
	page := fleet.New(fleet.Config{Store: shown, Operators: store, Balance: balance, SilentAfter: fleet.SilentAfter(cmp.Or(checkIn, 30*time.Minute)), Secure: f.secure(t), Version: build(), Logger: log})
	stop, err := f.start(ctx, page, proxies, t, log)
	if err != nil {
		end()
		return nil, nil, err
	}
	return page, func() error {
		defer end()
		return stop()
	}, nil
}

// fleetStoreVar names the replica where --fleet-store does not.
const fleetStoreVar = "TIDEMARK_FLEET_STORE"

// start answers until what it returns is called, which waits for the end.
func (f *fleetFlags) start(ctx context.Context, page *fleet.Page, proxies cloud.Proxies, t *tls.Config, log *zap.Logger) (stop func() error, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return nil, &command.ConfigError{Err: fault.New("listen for the fleet page", err, "--fleet-listen takes host:port; is another program there?")}
	}
	if t != nil { // certificates of clients are for agents
		t = t.Clone()
		t.ClientAuth, t.ClientCAs = tls.NoClientCert, nil
	}
	errorLog, err := zap.NewStdLogAt(log.Named("fleet"), zap.DebugLevel)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := &http.Server{Handler: proxies.Handler(page), TLSConfig: t, ErrorLog: errorLog, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	log.Info("serving the fleet page", zap.Stringer("address", l.Addr()), zap.Bool("tls", t != nil))
	ended := make(chan error, 1)
	go func() {
		if t != nil {
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	stopWatching := until(ctx, page.Run)
	return func() error {
		defer stopWatching()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := server.Shutdown(end)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}
