package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"tidemark/cloud"
)

// sessionTime is how long a session lasts: a working day.
const sessionTime = 10 * time.Hour

// The cookie's name. The prefix has browsers take it only from this host, over
// TLS, for all paths (RFC 6265bis, 4.1.3.2).
const (
	cookieName       = "tidemark_fleet"
	secureCookieName = "__Host-tidemark_fleet"
)

// newSession returns the value of a cookie that proves, until a time, that its
// bearer had an operator's key: the name and the time under a keyed hash. What
// keys it is made from what the store keeps of the operator's key, so that all
// instances know it without a secret of their own, and a session ends with the
// key that began it.
func newSession(k cloud.OperatorKey, until time.Time) string {
	claim := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	claim = append(claim, k.Name...)
	return base64.RawURLEncoding.EncodeToString(append(sign(k, claim), claim...))
}

func sign(k cloud.OperatorKey, claim []byte) []byte {
	secret := hmac.New(sha256.New, k.Hash[:])
	secret.Write([]byte("tidemark fleet session 1"))
	mac := hmac.New(sha256.New, secret.Sum(nil))
	mac.Write(claim)
	return mac.Sum(nil)
}

// operatorOf returns whose session a cookie's value is, in a time that does
// not depend on how much of it is right.
func operatorOf(value string, all []cloud.OperatorKey, now time.Time) (name string, ok bool) {
	if len(value) > 400 {
		return "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(b) < sha256.Size+9 {
		return "", false
	}
	mac, claim := b[:sha256.Size], b[sha256.Size:]
	name = string(claim[8:])
	for _, k := range all {
		if k.Name == name && hmac.Equal(mac, sign(k, claim)) && (k.Expires.IsZero() || now.Before(k.Expires)) {
			ok = true
		}
	}
	return name, ok && now.Before(time.Unix(int64(binary.BigEndian.Uint64(claim)), 0))
}

func (p *Page) cookie(value string, age int) *http.Cookie {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.config.Secure, SameSite: http.SameSiteStrictMode}
	if c.Secure {
		c.Name = secureCookieName
	}
	return c
}

// session returns who is signed in.
func (p *Page) session(r *http.Request) (name string, ok bool, err error) {
	cookies := r.CookiesNamed(p.cookie("", 0).Name)
	if len(cookies) != 1 {
		return "", false, nil
	}
	now := p.config.Now()
	for _, age := range []time.Duration{freshKeys, recheckKeys} { // another instance may have let in whose key is new
		keys, err := p.keys.get(r.Context(), now, age)
		if err != nil {
			return "", false, err
		}
		if name, ok = operatorOf(cookies[0].Value, keys, now); ok {
			return name, true, nil
		}
	}
	return "", false, nil
}

// local is where to go after signing in: a path of this page, or its first.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") || strings.HasPrefix(path, "/login") {
		return "/"
	}
	return path
}
