package main

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// What is turned off is in log and metrics, and no password is.
func TestExposure(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for name, tt := range map[string]struct {
		listen, store, fleet string
		proxies              []string
		tls                  *tls.Config
		want                 []string // the connections that are unprotected
	}{
		"by itself":        {listen: defaultListen, store: defaultStore},
		"with TLS":         {listen: ":8443", store: "postgres://u:s3cret@db/d", tls: &tls.Config{}},
		"without TLS":      {listen: ":8080", store: "postgres://u:s3cret@127.0.0.1/d?sslmode=disable", want: []string{"agents"}},
		"behind a proxy":   {listen: ":8080", store: defaultStore, proxies: []string{"10.0.0.2"}},
		"Postgres without": {listen: defaultListen, store: "postgres://u:s3cret@db/d?sslmode=disable", want: []string{"store"}},
		"all": {
			listen: "0.0.0.0:8080", store: "postgres://u:s3cret@db/d?sslmode=require", fleet: "postgres://u:s3cret@replica/d?sslmode=prefer",
			want: []string{"agents", "store", "replica"},
		},
	} {
		f := serveFlags{listen: tt.listen, proxies: tt.proxies}
		if tt.fleet != "" {
			f.fleet = fleetFlags{listen: "127.0.0.1:1", store: tt.fleet}
		}
		e := (&app{store: tt.store}).exposed(f, tt.tls)
		var out bytes.Buffer
		e.warn(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&out), zap.WarnLevel)))
		if n := strings.Count(out.String(), "\n"); n != len(tt.want) {
			t.Errorf("%s: %d warnings: %s", name, n, &out)
		}
		e.WriteMetrics(&out)
		for _, c := range tt.want {
			if !strings.Contains(out.String(), `"connection":"`+c+`"`) || !strings.Contains(out.String(), `tidemark_connection_unprotected{connection="`+c+`"} 1`) {
				t.Errorf("%s: %s is not told: %s", name, c, &out)
			}
		}
		if n := strings.Count(out.String(), "} 1\n"); n != len(tt.want) || strings.Contains(out.String(), "s3cret") {
			t.Errorf("%s: %s", name, &out)
		}
	}
}
