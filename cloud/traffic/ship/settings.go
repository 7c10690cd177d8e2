package ship

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"tidemark/internal/fault"
)

// Environment variables with credentials: a command line can be read by every
// user of a machine.
const (
	TokenVariable    = "TIDEMARK_TRAFFIC_TOKEN"
	UserVariable     = "TIDEMARK_TRAFFIC_USER"
	PasswordVariable = "TIDEMARK_TRAFFIC_PASSWORD"
)

// Settings say which endpoint lines go to, as people write it down.
type Settings struct {
	URL       string
	CA        string // file with certificates to trust in place of the system's; "": those
	Cert, Key string // files of a certificate to show; "": none
	Gzip      bool
	Getenv    func(string) string // for the credentials
	Failed    func(err error, wait time.Duration)
}

// Endpoint checks the settings and makes the endpoint. It follows no redirect.
func (s Settings) Endpoint() (*Endpoint, error) {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil:
		return nil, fault.New("read the endpoint's URL", err, "")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fault.New("read the endpoint's URL", fmt.Errorf("%q is no http or https URL", s.URL), "")
	case u.User != nil:
		return nil, fault.New("read the endpoint's URL", errors.New("it holds credentials"), "Set "+UserVariable+" and "+PasswordVariable+", or "+TokenVariable+".")
	}
	authorization, err := s.authorization()
	if err != nil {
		return nil, err
	}
	t, err := ClientTLS(s.CA, s.Cert, s.Key)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = t
	transport.MaxIdleConnsPerHost = DefaultWorkers
	return &Endpoint{URL: s.URL, Authorization: authorization, Gzip: s.Gzip, Failed: s.Failed,
		Client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func (s Settings) authorization() (string, error) {
	token, user := s.Getenv(TokenVariable), s.Getenv(UserVariable)
	switch {
	case token != "" && user != "":
		return "", fault.New("read the environment", errors.New(TokenVariable+" and "+UserVariable+" are both set"), "Unset one of them.")
	case token != "":
		return "Bearer " + token, nil
	case user != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+s.Getenv(PasswordVariable))), nil
	}
	return "", nil
}

// ClientTLS is TLS 1.2 or later with verification, for files that may each be
// "".
func ClientTLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fault.New("read --ca", err, "")
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New("read --ca", fmt.Errorf("%s has no certificate", ca), "It must be PEM.")
		}
	}
	if (cert == "") != (key == "") {
		return nil, fault.New("read --cert", errors.New("--cert and --key need each other"), "")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fault.New("read --cert", err, "")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
