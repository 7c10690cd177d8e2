package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// Environment variables with credentials: a command line can be read by every
// user of a machine.
const (
	tokenVariable    = "TIDEMARK_TRAFFIC_TOKEN"
	userVariable     = "TIDEMARK_TRAFFIC_USER"
	passwordVariable = "TIDEMARK_TRAFFIC_PASSWORD"
)

// endpointFlags say where lines go.
type endpointFlags struct {
	to, ca    string
	cert, key string
	gzip      bool
}

func (f *endpointFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.to, "to", "", "URL of the endpoint, such as https://logstash:8443")
	flags.StringVar(&f.ca, "ca", "", "file with the certificates to trust in place of the system's")
	flags.StringVar(&f.cert, "cert", "", "file with a certificate to show to the endpoint")
	flags.StringVar(&f.key, "key", "", "file with its key")
	flags.BoolVar(&f.gzip, "gzip", false, "compress what is sent")
}

// endpoint checks the flags and makes the endpoint. Failed tries are told to w.
func (f *endpointFlags) endpoint(w io.Writer) (*ship.Endpoint, error) {
	u, err := url.Parse(f.to)
	switch {
	case f.to == "":
		return nil, &command.UsageError{Err: fault.New("read the command line", errors.New("--to is missing"), "It is the URL of an input that takes JSON lines.")}
	case err != nil:
		return nil, &command.ConfigError{Err: fault.New("read --to", err, "")}
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, &command.ConfigError{Err: fault.New("read --to", fmt.Errorf("%q is no http or https URL", f.to), "")}
	case u.User != nil:
		return nil, &command.ConfigError{Err: fault.New("read --to", errors.New("it holds credentials"), "Set "+userVariable+" and "+passwordVariable+", or "+tokenVariable+".")}
	}
	authorization, err := authorization()
	if err != nil {
		return nil, err
	}
	t, err := f.tls()
	if err != nil {
		return nil, &command.ConfigError{Err: err}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = t
	transport.MaxIdleConnsPerHost = ship.DefaultWorkers
	return &ship.Endpoint{URL: f.to, Authorization: authorization, Gzip: f.gzip,
		Client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Failed: func(err error, wait time.Duration) {
			fmt.Fprintf(w, "tidemark-traffic: not delivered, next try in %s: %v\n", wait.Round(time.Millisecond), err)
		}}, nil
}

func authorization() (string, error) {
	token, user, password := os.Getenv(tokenVariable), os.Getenv(userVariable), os.Getenv(passwordVariable)
	switch {
	case token != "" && user != "":
		return "", &command.ConfigError{Err: fault.New("read the environment", errors.New(tokenVariable+" and "+userVariable+" are both set"), "Unset one of them.")}
	case token != "":
		return "Bearer " + token, nil
	case user != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)), nil
	}
	return "", nil
}

func (f *endpointFlags) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fault.New("read --ca", err, "")
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New("read --ca", fmt.Errorf("%s has no certificate", f.ca), "It must be PEM.")
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, fault.New("read --cert", errors.New("--cert and --key need each other"), "")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(strings.TrimSpace(f.cert), strings.TrimSpace(f.key))
		if err != nil {
			return nil, fault.New("read --cert", err, "")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
