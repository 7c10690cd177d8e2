package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
)

const customer = "demo"

// A cloudSide is the cloud API over SQLite, on a port of this machine.
type cloudSide struct {
	store *sqlite.Store
	key   string // of the customer
	url   string
	meter *meter

	server *http.Server
	served chan error
}

func openCloud(ctx context.Context, dir string, log *zap.Logger) (c *cloudSide, err error) {
	store, err := sqlite.Open(ctx, filepath.Join(dir, "cloud.db"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	now := time.Now()
	secret, key := cloud.NewKey(customer, now)
	if err := store.AddCustomer(ctx, cloud.Customer{ID: customer, Name: "The demo's customer", Created: now}, key); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c = &cloudSide{store: store, key: secret, url: "http://" + l.Addr().String(), served: make(chan error, 1)}
	c.meter = newMeter(cloud.New(cloud.Config{Store: store, Logger: log}))
	c.server = &http.Server{Handler: c.meter, ReadHeaderTimeout: 10 * time.Second}
	go func() { c.served <- c.server.Serve(l) }()
	return c, nil
}

func (c *cloudSide) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := c.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, c.server.Close())
	}
	if e := <-c.served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return errors.Join(err, c.store.Close())
}
