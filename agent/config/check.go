package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// customerPattern is what the cloud accepts as a customer's ID.
var customerPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// check reports what can be seen only when the fields stand side by side.
func check(d *decoder, c *Config) {
	if d.require("customer", "the customer's name, as the cloud's operator gave it") && c.Customer != "" && !customerPattern.MatchString(c.Customer) {
		d.reportField("customer", Problem{
			Message:  fmt.Sprintf("customer: %q cannot be a customer", c.Customer),
			Expected: "1 to 63 lower case letters, digits, dots, dashes or underscores",
		})
	}
	d.onlyReference("hash_key", c.HashKey)
	checkCloud(d, &c.Cloud)
	checkPace(d, "defaults", c.Defaults)
	checkListen(d, "metrics.listen", c.Metrics.Listen)
	if checkListen(d, "ui.listen", c.UI.Listen) && c.UI.Listen != "" {
		if host, _, _ := net.SplitHostPort(c.UI.Listen); !loopback(host) {
			d.reportField("ui.listen", Problem{
				Message:  fmt.Sprintf("listen: %s can be reached from other machines, and the page asks nobody who they are", c.UI.Listen),
				Expected: "127.0.0.1:PORT, [::1]:PORT or localhost:PORT",
			})
		}
	}
	if !d.has("source") && !d.has("sources") {
		d.reportField("source", Problem{Message: "source is missing", Expected: `"source" with one database, or "sources" with a list of them`})
	}
	checkSources(d, c)
}

// require reports a field that is missing or empty.
func (d *decoder) require(path, expected string) bool {
	if d.has(path) {
		return true
	}
	if d.broken(path) || d.mistyped[path] {
		return false
	}
	message := last(path) + " is missing"
	if in := parent(path); in != "" {
		message = fmt.Sprintf("%s is missing in %s", last(path), in)
	}
	d.reportField(path, Problem{Message: message, Expected: expected})
	return false
}

// broken tells that a mapping around path was reported already: what it lacks
// is no news then.
func (d *decoder) broken(path string) bool {
	for _, p := range d.problems {
		if p.Field == path || p.Field != "" && p.Field == parent(path) {
			return true
		}
	}
	return false
}

func checkCloud(d *decoder, c *Cloud) {
	if !d.broken("cloud") || d.has("cloud") {
		if d.require("cloud.url", "the address of the cloud API, such as https://tidemark.example.com") {
			checkURL(d, c)
		}
		if !d.has("cloud.key_file") {
			d.require("cloud.key", "a reference to the customer's key, such as ${secret:cloud.key}")
		}
	}
	d.onlyReference("cloud.key", c.Key)
	d.together("cloud.client_cert", c.ClientCert, "cloud.client_key", c.ClientKey)
	if sum, err := hex.DecodeString(c.Pin); c.Pin != "" && (err != nil || len(sum) != 32) {
		d.reportField("cloud.pin", Problem{Message: "pin: not a SHA-256", Expected: "64 hexadecimal digits"})
	}
	checkPins(d, c)
	checkProxy(d, c.Proxy)
}

// checkPins holds pins against their form. An empty list would pin nothing, and
// look as if it did.
func checkPins(d *decoder, c *Cloud) {
	if d.has("cloud.pins") && len(c.Pins) == 0 && !d.broken("cloud.pins") {
		d.reportField("cloud.pins", Problem{Message: "pins is empty", Expected: "one or more, or no pins at all"})
	}
	for i, p := range c.Pins {
		digits, ok := strings.CutPrefix(p, "sha256/")
		if sum, err := base64.StdEncoding.DecodeString(digits); !ok || err != nil || len(sum) != 32 {
			d.reportField(fmt.Sprintf("cloud.pins[%d]", i), Problem{
				Message: fmt.Sprintf("pins[%d]: not the pin of a key", i), Expected: "sha256/ and 44 characters of base 64",
				Hint: "`tidemark doctor` shows the server's",
			})
		}
	}
}

func checkURL(d *decoder, c *Cloud) {
	if d.broken("cloud.url") {
		return
	}
	p, ok := urlProblem(c.URL, c.AllowHTTP)
	if ok {
		c.URL = strings.TrimRight(c.URL, "/")
		return
	}
	d.reportField("cloud.url", p)
}

// CheckURL tells whether that can be the address of the cloud.
func CheckURL(text string, allowHTTP bool) error {
	if p, ok := urlProblem(text, allowHTTP); !ok {
		return errors.New(p.Message)
	}
	return nil
}

func urlProblem(text string, allowHTTP bool) (p Problem, ok bool) {
	u, err := url.Parse(text)
	p = Problem{Expected: "an address such as https://tidemark.example.com"}
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.Message = fmt.Sprintf("url: %q is not an http or https address", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.Message = "url: an address without user, query and fragment is needed"
	case u.Scheme == "http" && !allowHTTP && !loopback(u.Hostname()):
		p = Problem{Message: "url: over http the key and the rows travel readable", Expected: "https", Hint: "allow_http: true accepts that"}
	default:
		return Problem{}, true
	}
	return p, false
}

func checkProxy(d *decoder, s Secret) {
	if s.IsZero() || !s.literal() {
		return
	}
	if err := CheckProxy(s.get().text); err != nil {
		d.reportField("cloud.proxy", Problem{Message: err.Error(), Expected: "system, none, or an address such as http://proxy:3128"})
		return
	}
	if u, err := url.Parse(s.get().text); err == nil {
		if _, has := u.User.Password(); has {
			d.onlyReference("cloud.proxy", s)
		}
	}
}

// CheckProxy tells whether that can be the way to the cloud. Its error does
// not repeat it: there may be a password in it.
func CheckProxy(text string) error {
	if text == "system" || text == "none" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return errors.New("proxy: not understood")
	}
	return nil
}

// onlyReference refuses a secret that is written into the file.
func (d *decoder) onlyReference(path string, s Secret) {
	if s.literal() {
		d.reportField(path, Problem{
			Message:  last(path) + ": a secret does not belong into this file",
			Expected: s.expected(),
			Hint:     "`tidemark secret set NAME` keeps it, and ${secret:NAME} here refers to it",
		})
	}
}

func (d *decoder) together(path, value, otherPath, other string) {
	if value != "" && other == "" {
		d.reportField(path, Problem{Message: fmt.Sprintf("%s is of no use without %s", last(path), last(otherPath))})
	}
	if value == "" && other != "" {
		d.reportField(otherPath, Problem{Message: fmt.Sprintf("%s is of no use without %s", last(otherPath), last(path))})
	}
}

// checkPace compares limits where some are set; those that are only inherited
// were checked where they come from.
func checkPace(d *decoder, path string, p Pace) {
	if !d.has(path + ".limits") {
		return
	}
	query, statement, lock := path+".limits.query_time", path+".limits.statement_timeout", path+".limits.lock_timeout"
	if d.broken(query) || d.broken(statement) || d.broken(lock) {
		return
	}
	l := p.Limits
	if l.StatementTimeout <= l.QueryTime {
		d.reportField(d.given(statement, query), Problem{
			Message:  fmt.Sprintf("statement_timeout (%s) leaves no room above query_time (%s)", formatDuration(l.StatementTimeout), formatDuration(l.QueryTime)),
			Expected: "statement_timeout to be several times query_time",
		})
	}
	if l.LockTimeout >= l.StatementTimeout {
		d.reportField(d.given(lock, statement), Problem{
			Message:  fmt.Sprintf("lock_timeout (%s) is not below statement_timeout (%s)", formatDuration(l.LockTimeout), formatDuration(l.StatementTimeout)),
			Expected: "lock_timeout to be a few seconds",
		})
	}
}

// given returns the first of two fields that stands in the file.
func (d *decoder) given(first, second string) string {
	if d.has(first) {
		return first
	}
	return second
}

// checkListen reports an address that nobody can listen on.
func checkListen(d *decoder, path, address string) bool {
	if address == "" {
		return true
	}
	host, port, err := net.SplitHostPort(address)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 || host == "" {
		d.reportField(path, Problem{Message: fmt.Sprintf("listen: %q is no address to listen on", address), Expected: "host:port, such as 127.0.0.1:9464"})
		return false
	}
	return true
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
