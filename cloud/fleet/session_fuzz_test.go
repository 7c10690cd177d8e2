package fleet

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
)

// A cookie is good when this page has made it, with a key that there is, and
// never otherwise.
func FuzzCookie(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	known := cloud.OperatorKey{Name: "ann", Key: cloud.Key{Hash: sha256.Sum256([]byte("a"))}}
	expired := cloud.OperatorKey{Name: "old", Key: cloud.Key{Hash: sha256.Sum256([]byte("b")), Expires: now}}
	gone := cloud.OperatorKey{Name: "ann", Key: cloud.Key{Hash: sha256.Sum256([]byte("c"))}}
	for _, k := range []cloud.OperatorKey{known, expired, gone} {
		f.Add(newSession(k, now.Add(time.Hour)))
		f.Add(newSession(k, now))
	}
	good := newSession(known, now.Add(time.Hour))
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		name, ok := operatorOf(value, []cloud.OperatorKey{known, expired}, now)
		got, _ := base64.RawURLEncoding.DecodeString(value)
		if ok != (string(got) == string(raw)) || ok && name != "ann" {
			t.Fatalf("%q is %q's session: %v", value, name, ok)
		}
	})
}

// Where a browser is sent after signing in is a path of this page.
func FuzzLocal(f *testing.F) {
	for _, path := range []string{"/customers/acme?x=1#y", "//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example", "/\tevil", "javascript:alert(1)", "/login", ""} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := local(path)
		u, err := url.Parse(got)
		if err == nil && (u.Host != "" || u.Scheme != "" || u.User != nil) || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") ||
			strings.ContainsAny(got, "\\\r\n\t") {
			t.Fatalf("%q leads to %q", path, got)
		}
	})
}
