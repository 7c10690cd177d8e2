//go:build unix

package trust_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"

	"tidemark/internal/command/commandtest"
	"tidemark/internal/mssqltest"
	"tidemark/internal/pgtest"
)

// holders are where secrets are kept: all other files are searched.
var holders = []string{"conf/secrets", "conf/cloud.key", "server.key"}

// TestSecrets plants secrets of every kind, has the programs run well and fail
// in many ways, and looks for the secrets in all that they said and wrote.
func TestSecrets(t *testing.T) {
	s := newStage(t)
	planted := map[string]string{
		"SQL password": "Planted-sql-8831", "wrong SQL password": "Planted-sqlwrong-8832", "proxy password": "Planted-proxy-8833",
		"wrong proxy password": "Planted-proxywrong-8834", "hash key": "Planted-hashkey-8835", "Postgres password": "Planted-pg-8836",
		"wrong operator's key": "tmo_ops_plantedwrong8837", "wrong customer's key": "tmk_acme_plantedwrong8838", "wrong code": "acme-PLANT-EDWRO-NGCOD-EABCD",
	}
	dsn := strings.Replace(pgtest.Start(t), "@", ":"+planted["Postgres password"]+"@", 1)
	s.env = append(s.env, "TIDEMARK_STORE="+dsn, "PROXY_PASSWORD="+planted["proxy password"], "WRONG_PROXY_PASSWORD="+planted["wrong proxy password"])
	show := func(what string, args ...string) string {
		planted[what] = s.run(false, "", args...)
		return planted[what]
	}
	show("customer's key", "tidemark-cloud", "customers", "add", "acme")
	show("operator's key", "tidemark-cloud", "operators", "add", "ops")
	show("code", "tidemark-cloud", "customers", "invite", "acme")
	for what, secret := range planted {
		if len(secret) < 12 {
			t.Fatalf("%s: %q", what, secret)
		}
	}

	d := &drama{stage: s, planted: planted, api: commandtest.FreeAddress(), fleet: commandtest.FreeAddress(), metrics: commandtest.FreeAddress(), page: commandtest.FreeAddress(), proxy: startProxy(t, planted["proxy password"]),
		source: startSource(t, planted["SQL password"])}
	d.badServers(dsn)
	s.certificate("server.crt", "server.key")
	endServer := s.start("server", "tidemark-cloud", "serve", "--listen", d.api, "--tls-cert", "server.crt", "--tls-key", "server.key", "--fleet-listen", d.fleet,
		"--log-level", "debug", "--record", "requests.rec")
	s.answers(d.api)
	s.answers(d.fleet)
	d.operator()
	d.customer()
	endServer(syscall.SIGQUIT)
	if !s.heard("server", "goroutine ") {
		t.Error("the server left no stacks")
	}
	if err := pgtest.Run(t.Context(), "pg_dump", "--file", s.path("store.sql"), dsn); err != nil {
		t.Fatal(err)
	}
	d.search()
}

// A drama is what is played.
type drama struct {
	*stage
	planted                          map[string]string
	api, fleet, metrics, page, proxy string
	source                           *mssqltest.Server
}

// badServers are servers that cannot start.
func (d *drama) badServers(dsn string) {
	wrong := strings.Replace(dsn, "@127.0.0.1:", "@127.0.0.1:1", 1) // a port that is none
	for _, url := range []string{
		wrong, strings.Replace(dsn, "sslmode=disable", "sslmode=maybe", 1), strings.Replace(dsn, "/test", "/none", 1), strings.Replace(dsn, "postgres://", "mysql://", 1),
		strings.Replace(dsn, "?sslmode=disable", "?sslmode=verify-full", 1), strings.Replace(dsn, "@127.0.0.1", "@no-such-host.invalid", 1),
	} {
		d.run(true, "", "tidemark-cloud", "serve", "--log-level", "debug", "--listen", d.api, "--store", url)
		d.run(true, "", "tidemark-cloud", "serve", "--listen", d.api, "--fleet-listen", d.fleet, "--fleet-store", url, "--tls-cert", "none")
		d.run(true, "", "tidemark-cloud", "customers", "list", "--store", url)
	}
}

// operator looks at the fleet, with a wrong key first.
func (d *drama) operator() {
	d.t.Helper()
	jar, _ := cookiejar.New(nil)
	transport := insecure()
	defer transport.CloseIdleConnections()
	client := &http.Client{Jar: jar, Transport: transport}
	base := "https://" + d.fleet
	for _, key := range []string{"wrong operator's key", "operator's key"} {
		answer, err := client.PostForm(base+"/login", url.Values{"key": {d.planted[key]}})
		d.keep("fleet page", answer, err)
	}
	for _, path := range []string{"/", "/customers/acme", "/decisions", "/rollouts", "/costs", "/none"} {
		answer, err := client.Get(base + path)
		d.keep("fleet page", answer, err)
	}
	if !d.heard("fleet page", "acme") {
		d.t.Error("nobody was signed in")
	}
}

func (d *drama) keep(who string, answer *http.Response, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	d.note(who, body)
	for name, values := range answer.Header {
		d.note(who, fmt.Appendf(nil, "%s: %q\n", name, values))
	}
}

// configure writes the agent's configuration.
func (d *drama) configure(proxy, password, key, server string) {
	d.t.Helper()
	host, port, err := net.SplitHostPort(d.source.Addr())
	if err != nil {
		d.t.Fatal(err)
	}
	if server != "" {
		host, port = "db", "1433\n  instance: x" // a mistake beside the secrets
	}
	d.write("conf/tidemark.yaml", fmt.Sprintf(`
customer: acme
hash_key: ${secret:hash.key}
cloud: {url: "https://%s", ca: ../server.crt, key: "%s", proxy: "%s"}
state_dir: ../state
log: {level: debug, file: ../log/tidemark.log}
metrics: {listen: "%s"}
ui: {listen: "%s"}
defaults: {interval: 1s}
source:
  server: %s
  port: %s
  database: site
  user: %s
  password: %s
  encrypt: login
  trust_server_certificate: true
  tables: [{name: dbo.t, hash_columns: [mail]}]
`, d.api, key, proxy, d.metrics, d.page, host, port, login, password))
}

// customer has an agent run: well, and with one failure after the other.
func (d *drama) customer() {
	if err := os.MkdirAll(d.path("conf"), 0o700); err != nil {
		d.t.Fatal(err)
	}
	const goodKey, goodPassword = "${file:cloud.key}", "${secret:sql.password}"
	goodProxy := "http://joe:${env:PROXY_PASSWORD}@" + d.proxy
	d.write("conf/cloud.key", d.planted["customer's key"])
	d.configure(goodProxy, goodPassword, goodKey, "")
	for name, what := range map[string]string{"sql.password": "SQL password", "sql.wrong": "wrong SQL password", "hash.key": "hash key", "wrong.key": "wrong customer's key"} {
		d.agent(d.planted[what], "secret", "set", name)
	}
	d.agent("", "enroll", d.planted["wrong code"])
	d.agent(d.planted["wrong code"], "enroll")
	d.look("before")
	end := d.start("agent", "tidemark", "run", "--config", "conf/tidemark.yaml")
	d.until("the first sync", func() bool { return strings.Contains(d.agent("", "journal", "dbo.t"), "upload") })
	d.look("well")
	d.rights()
	for i, failure := range []struct{ proxy, password, key, says string }{
		{"http://joe:${env:WRONG_PROXY_PASSWORD}@" + d.proxy, goodPassword, goodKey, "Proxy Authentication Required"},
		{"http://joe:${env:PROXY_PASSWORD}@127.0.0.1:1", goodPassword, goodKey, "connection refused"},
		{goodProxy, "${secret:sql.wrong}", goodKey, "Login failed"},
		{goodProxy, goodPassword, "${secret:wrong.key}", "key-refused"},
		{goodProxy, "${secret:none}", goodKey, "there is no such secret"},
	} {
		d.configure(failure.proxy, failure.password, failure.key, "")
		d.agent("", "reload")
		// Who has nothing to send does not ask the cloud.
		if err := d.source.DB().Exec(d.t.Context(), fmt.Sprintf("INSERT INTO dbo.t (id, mail) VALUES (%d, 'x')", i+1)); err != nil {
			d.t.Fatal(err)
		}
		d.until(failure.says, func() bool { return strings.Contains(d.agent("", "status"), failure.says) })
		d.look(failure.says)
	}
	for _, dsn := range []string{"sqlserver://sync:${secret:sql.password}@127.0.0.1:1?database=site", "server=127.0.0.1;port=x;user id=sync;password=${secret:sql.wrong}"} {
		d.write("conf/tidemark.yaml", fmt.Sprintf("customer: acme\ncloud: {url: \"https://%s\", ca: ../server.crt, key: \"%s\"}\nstate_dir: ../state\nsource: {dsn: \"%s\", tables: [dbo.t]}\n", d.api, goodKey, dsn))
		d.agent("", "reload")
		d.look("a connection string")
	}
	d.configure("http://joe:"+d.planted["proxy password"]+"@"+d.proxy, d.planted["SQL password"], d.planted["customer's key"], "db")
	d.agent("", "config", "check", "--offline") // secrets in the file: refused, and not repeated
	d.agent("", "reload")
	d.look("secrets in the file")
	end(syscall.SIGQUIT)
	if !d.heard("agent", "goroutine ") {
		d.t.Error("the agent left no stacks")
	}
	d.look("dead")
	d.agent("", "run")
	d.configure(goodProxy, goodPassword, goodKey, "")
}

// agent runs a command of the agent and keeps what it says.
func (d *drama) agent(in string, args ...string) string {
	d.t.Helper()
	return d.run(true, in, append(append([]string{"tidemark"}, args...), "--config", "conf/tidemark.yaml")...)
}

// look asks for all that there is to see.
func (d *drama) look(when string) {
	d.t.Helper()
	name := strings.ReplaceAll(when, " ", "-") + ".zip"
	for _, args := range [][]string{
		{"status", "--all"}, {"status", "--json"}, {"explain", "dbo.t"}, {"journal", "dbo.t"}, {"doctor"}, {"doctor", "--json"}, {"plan"},
		{"quarantine", "list"}, {"secret", "list"}, {"config", "check"}, {"logs"}, {"bundle", "--output", d.path(name)},
	} {
		d.agent("", args...)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	for _, url := range []string{"http://" + d.page + "/", "http://" + d.page + "/table?name=dbo.t", "http://" + d.metrics + "/metrics"} {
		if answer, err := (&http.Client{Transport: transport}).Get(url); err == nil { // nobody is there before and after
			d.keep("page and metrics", answer, nil)
		}
	}
}

// search looks for what was planted in all that was said and written.
func (d *drama) search() {
	d.t.Helper()
	forms := map[string][]byte{}
	for what, secret := range d.planted {
		forms[what] = []byte(secret)
		forms[what+", in base 64"] = []byte(strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="))
		forms[what+", as hexadecimal digits"] = []byte(hex.EncodeToString([]byte(secret)))
		forms[what+", in UTF-16"] = []byte(strings.Join(strings.Split(secret, ""), "\x00"))
	}
	found := map[string]bool{} // in the holders, where they must be
	look := func(where string, text []byte) {
		for what, form := range forms {
			if !bytes.Contains(text, form) {
				continue
			}
			if held(where) {
				found[what] = true
			} else {
				at := bytes.Index(text, form)
				d.t.Errorf("%s is in %s: %q", what, where, text[max(0, at-150):min(len(text), at+60)])
			}
		}
	}
	d.mu.Lock()
	said := map[string]bool{}
	for who, b := range d.said {
		said[who] = true
		look("what is said by "+who, b.Bytes())
	}
	d.mu.Unlock()
	for _, who := range []string{"agent", "server", "fleet page", "page and metrics", "tidemark status --all", "tidemark doctor --config", "tidemark bundle --output"} {
		if !said[who] {
			d.t.Errorf("%s said nothing", who)
		}
	}
	files := map[string]bool{}
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(d.dir, path)
		if err != nil {
			return err
		}
		if name == "conf/tidemark.yaml" {
			return nil // a person's, who wrote secrets into it on purpose
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[name] = true
		look(name, text)
		return d.unpack(name, text, look)
	})
	if err != nil {
		d.t.Error(err)
	}
	for _, name := range []string{"state/state.db", "log/tidemark.log", "store.sql", "requests.rec", "well.zip", "dead.zip"} {
		if !files[name] {
			d.t.Errorf("%s is not there", name)
		}
	}
	for _, what := range []string{"SQL password", "customer's key", "hash key"} {
		if !found[what] {
			d.t.Errorf("%s is not even where it is kept: the search is of no use", what)
		}
	}
}

func held(name string) bool {
	for _, h := range holders {
		if name == h || strings.HasPrefix(name, h+"/") {
			return true
		}
	}
	return false
}

// unpack looks into what is compressed.
func (d *drama) unpack(name string, text []byte, look func(string, []byte)) error {
	switch filepath.Ext(name) {
	case ".zip":
		z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return err
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return err
			}
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			look(name+"/"+f.Name, b)
		}
	case ".rec":
		r, err := zstd.NewReader(bytes.NewReader(text), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer r.Close()
		b, _ := io.ReadAll(r) // its end is missing: the server was killed
		look(name+", unpacked", b)
	}
	return nil
}
