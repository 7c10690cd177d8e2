package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// endpointFlags say where lines go.
type endpointFlags struct{ ship.Settings }

func (f *endpointFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.URL, "to", "", "URL of the endpoint, such as https://logstash:8443")
	flags.StringVar(&f.CA, "ca", "", "file with the certificates to trust in place of the system's")
	flags.StringVar(&f.Cert, "cert", "", "file with a certificate to show to the endpoint")
	flags.StringVar(&f.Key, "key", "", "file with its key")
	flags.BoolVar(&f.Gzip, "gzip", false, "compress what is sent")
}

// endpoint checks the flags and makes the endpoint. Failed tries are told to w.
func (f *endpointFlags) endpoint(w io.Writer) (*ship.Endpoint, error) {
	if f.URL == "" {
		return nil, &command.UsageError{Err: fault.New("read the command line", errors.New("--to is missing"), "It is the URL of an input that takes JSON lines.")}
	}
	f.Getenv = os.Getenv
	f.Failed = func(err error, wait time.Duration) {
		fmt.Fprintf(w, "tidemark-traffic: not delivered, next try in %s: %v\n", wait.Round(time.Millisecond), err)
	}
	e, err := f.Endpoint()
	if err != nil {
		return nil, &command.ConfigError{Err: err}
	}
	return e, nil
}
