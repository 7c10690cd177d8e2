package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
)

// Who sent a request is what the proxies say of it, and nobody else.
func TestProxies(t *testing.T) {
	inside := cloud.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tt := range map[string]struct {
		proxies   cloud.Proxies
		peer      string
		forwarded []string
		want      string
	}{
		"nothing is in front":            {nil, "10.0.0.1:5", []string{"203.0.113.7"}, "10.0.0.1:5"},
		"a proxy":                        {inside, "10.0.0.1:5", []string{"203.0.113.7"}, "203.0.113.7:0"},
		"two in a row":                   {inside, "10.0.0.1:5", []string{"203.0.113.7, 10.9.9.9"}, "203.0.113.7:0"},
		"each with a line":               {inside, "10.0.0.1:5", []string{"203.0.113.7", "10.9.9.9"}, "203.0.113.7:0"},
		"a sender who makes somebody up": {inside, "10.0.0.1:5", []string{"198.51.100.1, 10.0.0.2, 203.0.113.7"}, "203.0.113.7:0"},
		"no proxy, with the header":      {inside, "203.0.113.9:5", []string{"198.51.100.1"}, "203.0.113.9:5"},
		"a proxy that tells nothing":     {inside, "10.0.0.1:5", nil, "10.0.0.1:5"},
		"what is no address":             {inside, "10.0.0.1:5", []string{"198.51.100.1, unknown"}, "10.0.0.1:5"},
		"with a port":                    {inside, "10.0.0.1:5", []string{"203.0.113.7:4711"}, "203.0.113.7:4711"},
		"all are proxies":                {inside, "10.0.0.1:5", []string{"10.1.1.1"}, "10.1.1.1:0"},
		"IPv6":                           {inside, "[fd00::1]:5", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		"IPv6 in brackets":               {inside, "[fd00::1]:5", []string{"[2001:db8::7]:80"}, "[2001:db8::7]:80"},
		"IPv4 in IPv6":                   {inside, "[::ffff:10.0.0.1]:5", []string{"203.0.113.7"}, "203.0.113.7:0"},
		"a peer without an address":      {inside, "@", []string{"203.0.113.7"}, "@"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.peer
		for _, line := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		got := ""
		tt.proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
		if got != tt.want || r.RemoteAddr != tt.peer {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// The server writes down whom the proxy in front passes on.
func TestRemoteBehindProxy(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	s := cloud.New(cloud.Config{Logger: zap.New(core), Proxies: cloud.Proxies{netip.MustParsePrefix("10.0.0.1/32")}})
	r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
	r.RemoteAddr = "10.0.0.1:5"
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	s.ServeHTTP(httptest.NewRecorder(), r)
	all := logs.FilterMessage("request").All()
	if len(all) != 1 || all[0].ContextMap()["remote"] != "203.0.113.7:0" {
		t.Errorf("%v", all)
	}
}
