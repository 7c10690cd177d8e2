package accesslog_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud/traffic/accesslog"
)

const (
	classic     = `2026-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57 "GET https://www.example.com:443/v1/customers/acme/versions HTTP/1.1" "tidemark/1.4" DHE-RSA-AES128-SHA TLSv1.2`
	application = `https 2026-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:8443 0.086 0.048 0.037 200 200 1024 57 "POST https://sync.example.com:443/v1/customers/acme/tables/dbo.orders/rows HTTP/1.1" "tidemark/1.4" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/api/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "sync.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 2026-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:8443 10.0.0.2:8443" "200 -" "-" "-" TID_1234abcd5678ef90 "-" "-" "-"`
	network     = `tls 2.0 2026-12-20T02:59:40 net/my-lb/c6e77e28c25b2234 g3d4b5e8bb8464cd 72.21.218.154:51341 172.100.100.185:443 5 2 98 246 - arn:aws:acm:us-east-2:671290407336:certificate/2a108f19 - ECDHE-RSA-AES128-SHA tlsv12 - sync.example.com h2 h2 "h2","http/1.1" 2026-12-20T02:59:30`
)

func parse(t *testing.T, line string) *accesslog.Entry {
	t.Helper()
	e, err := new(accesslog.Parser).Parse([]byte(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return e
}

func object(t *testing.T, line, members string) map[string]any {
	t.Helper()
	var m map[string]any
	b := parse(t, line).AppendJSON(nil, []byte(members))
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return m
}

func TestJSON(t *testing.T) {
	for _, test := range []struct {
		name, line string
		want       map[string]any
	}{
		{"classic", classic, map[string]any{
			"kind": "classic", "@timestamp": "2026-05-13T23:39:43.945958Z", "time": "2026-05-13T23:39:43.945958Z", "elb": "my-lb",
			"client_ip": "192.168.131.39", "client_port": 2817.0, "backend_ip": "10.0.0.1", "backend_port": 80.0,
			"request_processing_time": 0.000086, "backend_processing_time": 0.001048, "response_processing_time": 0.001337,
			"elb_status_code": 200.0, "backend_status_code": 200.0, "received_bytes": 0.0, "sent_bytes": 57.0,
			"request_verb": "GET", "request_url": "https://www.example.com:443/v1/customers/acme/versions", "request_proto": "HTTP/1.1",
			"user_agent": "tidemark/1.4", "ssl_cipher": "DHE-RSA-AES128-SHA", "ssl_protocol": "TLSv1.2", "log_line": 7.0,
		}},
		{"application", application, map[string]any{
			"kind": "application", "@timestamp": "2026-07-02T22:23:00.186641Z", "type": "https", "time": "2026-07-02T22:23:00.186641Z",
			"elb": "app/my-lb/50dc6c495c0c9188", "client_ip": "192.168.131.39", "client_port": 2817.0, "target_ip": "10.0.0.1", "target_port": 8443.0,
			"request_processing_time": 0.086, "target_processing_time": 0.048, "response_processing_time": 0.037,
			"elb_status_code": 200.0, "target_status_code": 200.0, "received_bytes": 1024.0, "sent_bytes": 57.0,
			"request_verb": "POST", "request_url": "https://sync.example.com:443/v1/customers/acme/tables/dbo.orders/rows", "request_proto": "HTTP/1.1",
			"user_agent": "tidemark/1.4", "ssl_cipher": "ECDHE-RSA-AES128-GCM-SHA256", "ssl_protocol": "TLSv1.2",
			"target_group_arn": "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/api/73e2d6bc24d8a067",
			"trace_id":         "Root=1-58337281-1d84f3d73c47ec4e58577259", "domain_name": "sync.example.com",
			"chosen_cert_arn": "arn:aws:acm:us-east-2:123456789012:certificate/12345678", "matched_rule_priority": 1.0,
			"request_creation_time": "2026-07-02T22:22:48.364000Z", "actions_executed": []any{"authenticate", "forward"},
			"target_port_list": []any{"10.0.0.1:8443", "10.0.0.2:8443"}, "target_status_code_list": []any{200.0, nil},
			"conn_trace_id": "TID_1234abcd5678ef90", "log_line": 7.0,
		}},
		{"network", network, map[string]any{
			"kind": "network", "@timestamp": "2026-12-20T02:59:40Z", "type": "tls", "version": "2.0", "time": "2026-12-20T02:59:40Z",
			"elb": "net/my-lb/c6e77e28c25b2234", "listener": "g3d4b5e8bb8464cd", "client_ip": "72.21.218.154", "client_port": 51341.0,
			"destination_ip": "172.100.100.185", "destination_port": 443.0, "connection_time": 5.0, "tls_handshake_time": 2.0,
			"received_bytes": 98.0, "sent_bytes": 246.0, "chosen_cert_arn": "arn:aws:acm:us-east-2:671290407336:certificate/2a108f19",
			"tls_cipher": "ECDHE-RSA-AES128-SHA", "tls_protocol_version": "tlsv12", "domain_name": "sync.example.com",
			"alpn_fe_protocol": "h2", "alpn_be_protocol": "h2", "alpn_client_preference_list": []any{"h2", "http/1.1"},
			"tls_connection_creation_time": "2026-12-20T02:59:30Z", "log_line": 7.0,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, object(t, test.line, `"log_line":7`)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTyped(t *testing.T) {
	e := parse(t, application)
	if e.Kind != accesslog.Application || !e.Time.Equal(time.Date(2026, 7, 2, 22, 23, 0, 186641000, time.UTC)) || string(e.Client) != "192.168.131.39" ||
		string(e.Method) != "POST" || !strings.HasSuffix(string(e.URL), "/rows") || string(e.Protocol) != "HTTP/1.1" || string(e.UserAgent) != "tidemark/1.4" ||
		string(e.Host) != "sync.example.com" || e.Status != 200 || e.TargetStatus != 200 || e.Received != 1024 || e.Sent != 57 || e.Took != 171*time.Millisecond {
		t.Errorf("%+v", e)
	}
	if e := parse(t, network); e.Took != -1 || e.Status != 0 || e.URL != nil || e.Sent != 246 || string(e.Host) != "sync.example.com" {
		t.Errorf("%+v", e)
	}
	refused := strings.NewReplacer("10.0.0.1:80 0.000086 0.001048 0.001337 200 200", "- -1 -1 -1 503 -",
		"GET https://www.example.com:443/v1/customers/acme/versions HTTP/1.1", "- - - ").Replace(classic)
	if e := parse(t, refused); e.Took != -1 || e.Status != 503 || e.TargetStatus != 0 || e.URL != nil || e.Method != nil {
		t.Errorf("%+v", e)
	}
	if m := object(t, refused, ""); m["request"] != nil || m["request_verb"] != nil || m["backend_ip"] != nil || m["request_processing_time"] != nil {
		t.Errorf("%v", m)
	}
}

func TestShapes(t *testing.T) {
	for _, test := range []struct {
		name, line string
		member     string
		want       any
	}{
		{"unknown fields are kept", application + ` 10.9.8.7 "a b"`, "extra", []any{"10.9.8.7", "a b"}},
		{"from before fields were added", application[:strings.Index(application, ` "sync.example.com"`)], "trace_id", "Root=1-58337281-1d84f3d73c47ec4e58577259"},
		{"classic without agent", classic[:strings.Index(classic, ` "tidemark`)], "request_verb", "GET"},
		{"quote in the URL, in hex", strings.Replace(classic, "versions", `ver\x22sions`, 1), "request_url", `https://www.example.com:443/v1/customers/acme/ver\x22sions`},
		{"quote in the agent, escaped", strings.Replace(classic, "tidemark/1.4", `a \"b\" \\`, 1), "user_agent", `a "b" \\`},
		{"blanks in the URL", strings.Replace(classic, "versions", `ver sions a`, 1), "request_url", "https://www.example.com:443/v1/customers/acme/ver sions a"},
		{"not UTF-8", strings.Replace(classic, "tidemark/1.4", "a\xff\tb", 1), "user_agent", "a\ufffd\tb"},
		{"IPv6", strings.Replace(classic, "192.168.131.39:2817", "2001:db8::1:2817", 1), "client_ip", "2001:db8::1"},
		{"IPv6 in brackets", strings.Replace(classic, "192.168.131.39:2817", "[2001:db8::1]:2817", 1), "client_ip", "2001:db8::1"},
		{"no HTTP", strings.Replace(classic, "GET https://www.example.com:443/v1/customers/acme/versions HTTP/1.1", "garbage", 1), "request", "garbage"},
		{"megabyte", strings.Replace(classic, "tidemark/1.4", strings.Repeat("x", 1<<20), 1), "user_agent", strings.Repeat("x", 1<<20)},
		{"leading zeros", strings.Replace(classic, " 0 57 ", " 007 57 ", 1), "received_bytes", 7.0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, object(t, test.line, "")[test.member]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", "empty"},
		{"hello world", "neither a time nor a type"},
		{"2026-13-13T23:39:43.945958Z a", "neither a time nor a type"},
		{classic[:90], "at least 12"},
		{strings.Replace(classic, `HTTP/1.1"`, `HTTP/1.1`, 1), "separated"},
		{classic[:strings.Index(classic, `HTTP/1.1"`)], "does not end"},
		{strings.Replace(classic, `HTTP/1.1" `, `HTTP/1.1"x`, 1), "separated"},
		{strings.Replace(classic, " my-lb ", "  my-lb ", 1), "separated"},
		{strings.Replace(classic, "0.001048", "0.00x048", 1), `field 6, backend_processing_time, is "0.00x048"`},
		{strings.Replace(classic, " 0 57 ", " zero 57 ", 1), `received_bytes, is "zero"`},
		{strings.Replace(classic, ":2817", ":281700", 1), "client"},
		{strings.Replace(application, "2026-07-02T22:23", "-", 1), "time"},
		{strings.Replace(application, "2026-07-02T22:23:00.186641Z", "-", 1), "no time"},
		{strings.Replace(application, `"200 -"`, `"200 x"`, 1), "target_status_code_list"},
		{classic + strings.Repeat(" x", 64), "over 64"},
	} {
		_, err := new(accesslog.Parser).Parse([]byte(test.line))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.80q: %v, not %q", test.line, err, test.want)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	var p accesslog.Parser
	var b []byte
	for _, line := range [][]byte{[]byte(classic), []byte(application), []byte(network)} {
		if n := testing.AllocsPerRun(100, func() {
			e, err := p.Parse(line)
			if err != nil {
				t.Fatal(err)
			}
			b = e.AppendJSON(b[:0], nil)
		}); n != 0 {
			t.Errorf("%.20s: %v allocations", line, n)
		}
	}
}

// Whatever a line holds, it is refused, or becomes one valid JSON object on
// one line.
func FuzzParse(f *testing.F) {
	for _, line := range []string{classic, application, network, strings.Replace(classic, "tidemark/1.4", `\"\\\x22`, 1), `tls "a\" b"`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := new(accesslog.Parser).Parse(line)
		if err != nil {
			return
		}
		b := e.AppendJSON(nil, []byte(`"log_line":1`))
		if !json.Valid(b) || bytes.ContainsRune(b, '\n') {
			t.Errorf("%q gives %s", line, b)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var p accesslog.Parser
	line := []byte(application)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := p.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	var p accesslog.Parser
	var out []byte
	line := []byte(application)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		e, err := p.Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		out = e.AppendJSON(out[:0], nil)
	}
}
