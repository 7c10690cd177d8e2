package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"tidemark/agent/config"
	"tidemark/uploader"
)

// Limits of what doctor finds good: days that a certificate is still valid, and
// how far the clock may be off.
const (
	certificateLeft = 21 * 24 * time.Hour
	skewAdvice      = 30 * time.Second
	skewWrong       = 5 * time.Minute
)

// A path is what a first request to the cloud saw on its way. It carries no key:
// whoever answers is only looked at.
type path struct {
	mu      sync.Mutex
	proxy   string // "" for none
	host    string // whose name was asked for
	names   []net.IPAddr
	nameErr error
	nameIn  time.Duration
	dialed  string
	dialErr error
	dialIn  time.Duration
	tls     *tls.ConnectionState
	err     error         // of the request
	date    time.Time     // of the answer, zero where it has none
	ahead   time.Duration // of this machine's clock, where date is set
}

// walk sends that request.
func walk(ctx context.Context, c *config.Config) *path {
	p := &path{}
	conf := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// What is wrong with a certificate is told with the certificate: see chain.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.tls = &s
			return nil
		},
	}
	if c.Cloud.ClientCert != "" {
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(c.Cloud.ClientCert, c.Cloud.ClientKey)
			return &cert, err
		}
	}
	proxy, err := proxyFor(c)
	if err != nil {
		p.err = err
		return p
	}
	transport := &http.Transport{
		TLSClientConfig: conf, DisableKeepAlives: true,
		Proxy: func(r *http.Request) (*url.URL, error) {
			if proxy == nil {
				return nil, nil
			}
			u, err := proxy(r)
			if u != nil {
				p.proxy = u.Redacted()
			}
			return u, err
		},
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, p.trace()), http.MethodGet, c.Cloud.URL+"/healthz", nil)
	if err != nil {
		p.err = err
		return p
	}
	answer, err := transport.RoundTrip(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.err = err
		return p
	}
	defer func() { _ = answer.Body.Close() }()
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		p.date, p.ahead = date, time.Since(date)
		if p.ahead > 0 && p.ahead < time.Second { // Date has whole seconds
			p.ahead = 0
		}
	}
	return p
}

func (p *path) trace() *httptrace.ClientTrace {
	var asked, dialed time.Time
	return &httptrace.ClientTrace{
		DNSStart: func(i httptrace.DNSStartInfo) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.host, asked = i.Host, time.Now()
		},
		DNSDone: func(i httptrace.DNSDoneInfo) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.names, p.nameErr, p.nameIn = i.Addrs, i.Err, time.Since(asked)
		},
		ConnectStart: func(string, string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			dialed = time.Now()
		},
		ConnectDone: func(_, address string, err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.dialed != "" && p.dialErr == nil { // another address of the name was quicker
				return
			}
			p.dialed, p.dialErr, p.dialIn = address, err, time.Since(dialed)
		},
	}
}

// proxyFor is the proxy of the configuration.
func proxyFor(c *config.Config) (func(*http.Request) (*url.URL, error), error) {
	text, err := c.Cloud.Proxy.Value()
	if err != nil {
		return nil, err
	}
	switch text {
	case "", "system":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the proxy's address is not well-formed")
	}
	return http.ProxyURL(u), nil
}

// examineNetwork finds out how far a request to the cloud comes. ok tells that
// it was answered by who should.
func examineNetwork(ctx context.Context, c *config.Config, now time.Time) (all []finding, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := walk(ctx, c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proxy != "" {
		all = append(all, finding{What: "proxy", Verdict: good, Message: p.proxy + " is asked for " + c.Cloud.URL, Notes: []string{"as " + cmp.Or(originOf(c), "HTTPS_PROXY in the environment says")}})
	}
	add := func(f finding) bool {
		all = append(all, f)
		return f.Verdict != wrong
	}
	if p.host != "" && !add(p.nameFinding()) || p.dialed != "" && !add(p.dialFinding()) {
		return all, false
	}
	if p.tls != nil && !add(p.certificate(c, now)) {
		return all, false
	}
	if p.err != nil {
		if p.dialed == "" || p.tls == nil && p.proxy != "" {
			f := failed("connection", p.err)
			f.Hint = cmp.Or(f.Hint, "check that this machine may reach "+c.Cloud.URL+", by a proxy where the site has one (cloud.proxy)")
			all = append(all, f)
			return all, false
		}
		return all, true // the client says it better
	}
	if !p.date.IsZero() {
		add(p.clock())
	}
	return all, true
}

func originOf(c *config.Config) string {
	if s, err := c.Cloud.Proxy.Value(); err != nil || s == "" || s == "system" {
		return ""
	}
	return "cloud.proxy in the configuration says"
}

func (p *path) nameFinding() finding {
	const what = "name"
	if p.nameErr != nil {
		return finding{
			What: what, Verdict: wrong, Message: p.nameErr.Error(),
			Hint: "check " + p.host + " for a mistake, and the name server of this machine; behind a proxy, set cloud.proxy",
		}
	}
	var all []string
	for _, a := range p.names {
		all = append(all, a.String())
	}
	return finding{What: what, Verdict: good, Message: fmt.Sprintf("%s is %s (found in %s)", p.host, strings.Join(all, ", "), span(p.nameIn))}
}

func (p *path) dialFinding() finding {
	const what = "connection"
	if p.dialErr != nil {
		return finding{
			What: what, Verdict: wrong, Message: p.dialErr.Error(),
			Hint: "check that a firewall lets this machine reach " + p.dialed + ", or set cloud.proxy where the site has a proxy",
		}
	}
	return finding{What: what, Verdict: good, Message: fmt.Sprintf("%s accepts (in %s)", p.dialed, span(p.dialIn))}
}

// certificate judges the chain that the server showed.
func (p *path) certificate(c *config.Config, now time.Time) finding {
	leaf := p.tls.PeerCertificates[0]
	f := finding{What: "certificate", Verdict: good, Message: fmt.Sprintf("of %s, by %s, until %s, %s",
		cmp.Or(strings.Join(leaf.DNSNames, " "), leaf.Subject.CommonName), cmp.Or(leaf.Issuer.CommonName, leaf.Issuer.String()),
		leaf.NotAfter.UTC().Format(time.DateOnly), tls.VersionName(p.tls.Version))}
	for _, over := range p.tls.PeerCertificates[1:] {
		f.Notes = append(f.Notes, fmt.Sprintf("signed by %s, until %s", cmp.Or(over.Subject.CommonName, over.Subject.String()), over.NotAfter.UTC().Format(time.DateOnly)))
	}
	u, err := url.Parse(c.Cloud.URL)
	if err != nil {
		return f
	}
	roots, err := trusted(c.Cloud.CA)
	if err == nil {
		err = chain(p.tls.PeerCertificates, roots, u.Hostname(), now)
	}
	f.Notes = append(f.Notes, "the pin of its key is "+uploader.KeyPin(leaf))
	switch left := leaf.NotAfter.Sub(now); {
	case err != nil && !p.date.IsZero() && chain(p.tls.PeerCertificates, roots, u.Hostname(), p.date) == nil:
		f.Verdict, f.Message = wrong, f.Message+": "+err.Error()
		f.Hint = fmt.Sprintf("the clock of this machine says %s, the server's %s: set this one right", now.UTC().Format(time.DateTime), p.date.UTC().Format(time.DateTime))
	case err != nil:
		f.Verdict, f.Message = wrong, f.Message+": "+err.Error()
		f.Hint = certificateHint(err)
	case !p.pinned(c, roots, u.Hostname(), now):
		f.Verdict, f.Message = wrong, f.Message+": it is none that cloud.pin or cloud.pins names"
		f.Hint = "if the operator of the cloud says that this certificate is theirs, change them; if not, someone is in between"
	case left < certificateLeft:
		f.Verdict = advice
		f.Hint = fmt.Sprintf("it ends in %s: tell the operator of the cloud", span(left))
	}
	return f
}

// pinned tells whether the chain, which is valid, has what is pinned.
func (p *path) pinned(c *config.Config, roots *x509.CertPool, host string, now time.Time) bool {
	chains, err := chainsOf(p.tls.PeerCertificates, roots, host, now)
	return err == nil && slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool {
		ok, err := uploader.TLS{Pin: c.Cloud.Pin, Pins: c.Cloud.Pins}.Pinned(chain)
		return err == nil && ok
	})
}

func certificateHint(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "who signed it is not trusted here: put that certificate into cloud.ca; if a firewall opens TLS, it is the firewall's"
	case errors.As(err, &host):
		return "it is for another host: check cloud.url"
	}
	return "check the clock of this machine, then tell the operator of the cloud"
}

// trusted are the certificates to trust.
func trusted(ca string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if ca == "" {
		return pool, nil
	}
	pem, err := os.ReadFile(ca)
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s holds no certificate", ca)
	}
	return pool, err
}

func chain(certs []*x509.Certificate, roots *x509.CertPool, host string, now time.Time) error {
	_, err := chainsOf(certs, roots, host, now)
	return err
}

// chainsOf returns the chains from a server's certificate to what is trusted.
func chainsOf(certs []*x509.Certificate, roots *x509.CertPool, host string, now time.Time) ([][]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	return certs[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between, CurrentTime: now})
}

// clock compares this machine's with the one that answered.
func (p *path) clock() finding {
	f := finding{What: "clock", Verdict: good, Message: "within a few seconds of the cloud's"}
	off := p.ahead.Abs()
	if off < skewAdvice {
		return f
	}
	way := "ahead of"
	if p.ahead < 0 {
		way = "behind"
	}
	f.Verdict, f.Message = advice, fmt.Sprintf("%s %s the cloud's", span(off), way)
	f.Hint = "have this machine keep its time by NTP: windows and due times go by its clock"
	if off >= skewWrong {
		f.Verdict = wrong
		f.Hint += ", and certificates are judged by it"
	}
	return f
}
