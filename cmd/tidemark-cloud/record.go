package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/traffic/recording"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// recordFlags turn the recording of requests on.
type recordFlags struct {
	path  string
	share int
	bytes int64
	time  time.Duration
}

func (f *recordFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.path, "record", "", "write requests, with their bodies, to this new file (tidemark-traffic replay)")
	flags.IntVar(&f.share, "record-share", 100, "of the customers, in percent")
	flags.Int64Var(&f.bytes, "record-bytes", 1<<30, "bound of the file")
	flags.DurationVar(&f.time, "record-for", time.Hour, "time after which recording ends")
}

// begin begins the recording that is asked for. tap is nil without one; end
// writes what waits.
func (f *recordFlags) begin(log *zap.Logger) (tap func(cloud.Exchange), end func() error, err error) {
	if f.path == "" {
		return nil, func() error { return nil }, nil
	}
	switch {
	case f.share < 1 || f.share > 100:
		return nil, nil, &command.ConfigError{Err: fault.New("read --record-share", fmt.Errorf("%d is not from 1 to 100", f.share), "")}
	case f.bytes < 1<<20:
		return nil, nil, &command.ConfigError{Err: fault.New("read --record-bytes", fmt.Errorf("%d is under 1 MiB", f.bytes), "")}
	case f.time <= 0:
		return nil, nil, &command.ConfigError{Err: fault.New("read --record-for", errors.New("it is not positive"), "")}
	}
	r, err := recording.Create(f.path, recording.Options{Share: f.share, Bytes: f.bytes, For: f.time, Server: build()}, time.Now())
	if err != nil {
		return nil, nil, &command.ConfigError{Err: err}
	}
	log.Warn("recording requests with their bodies", zap.String("file", f.path), zap.Int("percent_of_customers", f.share),
		zap.Int64("at_most_bytes", f.bytes), zap.Duration("at_most", f.time))
	tap = func(x cloud.Exchange) {
		if !r.Wants(x.Customer) {
			return
		}
		r.Record(&recording.Entry{Start: x.Start.UTC(), ID: x.ID, Customer: x.Customer, Table: x.Table, Endpoint: x.Endpoint, Method: x.Method,
			URI: x.URI, Host: x.Host, Headers: x.Headers, Body: x.Body,
			Status: x.Status, Took: x.Took.Microseconds(), BytesOut: x.BytesOut, Blocks: x.Blocks})
	}
	return tap, func() error {
		err := r.Close()
		done := r.Figures()
		log.Info("recorded", zap.Int64("requests", done.Entries), zap.Int64("left_out", done.LeftOut), zap.Bool("ended_by_a_bound", done.Ended && done.Err == nil))
		return err
	}, nil
}
