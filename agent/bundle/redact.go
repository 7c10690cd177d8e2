package bundle

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Kind is why a text was taken out.
type Kind string

// The kinds.
const (
	KnownSecret  Kind = "values of secrets that the configuration refers to"
	LikeSecret   Kind = "texts that look like a password or a key"
	RowKey       Kind = "keys of rows"
	QuotedValue  Kind = "quoted texts that are no name of the configuration"
	HiddenConfig Kind = "secrets and comments of the configuration file"
)

// shortest is the length below which a secret is not searched for: it would be
// found in every word.
const shortest = 4

// A Redactor takes out of texts what must not leave the site, and counts it.
type Redactor struct {
	known  []string // secrets in all forms, the longest first
	names  map[string]bool
	counts map[Kind]int // since the last take
	short  int          // secrets that are too short to be searched for
}

// NewRedactor returns one that knows the secrets themselves and the names that
// may be shown in quotes.
func NewRedactor(secrets, names []string) *Redactor {
	r := &Redactor{names: map[string]bool{}, counts: map[Kind]int{}}
	forms := map[string]bool{}
	for _, s := range secrets {
		if len(s) < shortest {
			r.short++
		}
		for _, part := range parts(s) {
			if len(part) < shortest {
				continue
			}
			for _, form := range []string{part, url.QueryEscape(part), url.PathEscape(part), url.UserPassword("", part).String()[1:], base64.StdEncoding.EncodeToString([]byte(part))} {
				forms[form] = true
			}
		}
	}
	// One may be a part of another.
	r.known = slices.SortedFunc(maps.Keys(forms), func(a, b string) int { return len(b) - len(a) })
	for _, n := range names {
		r.names[strings.ToLower(n)] = true
	}
	return r
}

var passwordField = regexp.MustCompile(`(?i)\b(?:password|pwd)\s*=\s*("[^"]*"|'[^']*'|\{[^}]*\}|[^;]*)`)

// schemes are those of addresses. A password may look like one of another.
var schemes = []string{"http", "https", "socks5", "sqlserver", "postgres", "postgresql"}

// parts returns a secret and the passwords in it, where it is an address or a
// connection string.
func parts(s string) []string {
	all := []string{s}
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		if u.User == nil && slices.Contains(schemes, u.Scheme) {
			all = nil // an address is none
		} else if p, ok := u.User.Password(); ok {
			all = append(all, p)
		}
		all = append(all, u.Query()["password"]...)
	}
	if _, user, ok := strings.Cut(s, "://"); ok { // also where it is not well-formed
		if i := strings.LastIndexByte(user, '@'); i > 0 {
			if _, p, ok := strings.Cut(user[:i], ":"); ok {
				all = append(all, p)
			}
		}
	}
	for _, m := range passwordField.FindAllStringSubmatch(s, -1) {
		all = append(all, strings.Trim(m[1], `"'{} `))
	}
	return all
}

// looks are the patterns of secrets that nobody told us of.
var looks = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(://)[^\s"'<>]*@`), "${1}[secret]@"},
	{regexp.MustCompile(`\btmk_[A-Za-z0-9._-]+`), "[secret]"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{6,}=*`), "${1} [secret]"},
	{regexp.MustCompile(`(?i)\b([\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key))\b(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\{[^}]*\}|[^\s;,"'}\]]+)`), "${1}${2}[secret]"},
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), "[secret]"},
}

var (
	scalar  = `(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|null|true|false)`
	rowKey  = regexp.MustCompile(`\[\s*` + scalar + `(?:\s*,\s*` + scalar + `)*\s*\]`)
	process = regexp.MustCompile(`^\[[0-9]+\]$`)
	keyIs   = regexp.MustCompile(`(?i)(key value is|value is|with value|value) \([^)]*\)`)
	address = regexp.MustCompile(`^[a-z]+://[^\s]*$`)
	quoted  = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"|„([^“”]*)[“”]|“([^”]*)”|‘([^’]*)’|«([^»]*)»`)
	// An apostrophe within a word quotes nothing.
	singly = regexp.MustCompile(`(^|[^\pL\pN])'((?:[^']|'')*)'($|[^\pL\pN'])`)
)

// Known takes the known secrets out of a text.
func (r *Redactor) Known(s string) string {
	for _, form := range r.known {
		r.counts[KnownSecret] += strings.Count(s, form)
		s = strings.ReplaceAll(s, form, "[secret]")
	}
	return s
}

// Name takes secrets out of a text that holds no values of rows.
func (r *Redactor) Name(s string) string {
	s = r.Known(s)
	for _, l := range looks {
		s = r.replace(l.pattern, s, LikeSecret, func(m string) string { return l.pattern.ReplaceAllString(m, l.instead) })
	}
	// "tidemark[4711]" is a process in a log: no text of ours has a key there.
	var b strings.Builder
	end := 0
	for _, m := range rowKey.FindAllStringIndex(s, -1) {
		b.WriteString(s[end:m[0]])
		end = m[1]
		if before, _ := utf8.DecodeLastRuneInString(s[:m[0]]); unicode.IsLetter(before) && process.MatchString(s[m[0]:m[1]]) {
			b.WriteString(s[m[0]:m[1]])
			continue
		}
		b.WriteString("[key]")
		r.counts[RowKey]++
	}
	b.WriteString(s[end:])
	return b.String()
}

// Text takes secrets and values of rows out of a text from anywhere, such as
// the error of a database.
func (r *Redactor) Text(s string) string {
	s = r.Name(s)
	s = r.replace(keyIs, s, RowKey, func(m string) string { return m[:strings.IndexByte(m, '(')] + "([key])" })
	s = r.replace(quoted, s, QuotedValue, func(m string) string {
		inner := slices.MaxFunc(quoted.FindStringSubmatch(m)[1:], func(a, b string) int { return len(a) - len(b) })
		if r.shown(inner) {
			return m
		}
		return `"[value]"`
	})
	return r.replace(singly, s, QuotedValue, func(m string) string {
		part := singly.FindStringSubmatch(m)
		if r.shown(part[2]) {
			return m
		}
		return part[1] + "'[value]'" + part[3]
	})
}

// shown tells whether a text in quotes may be shown.
func (r *Redactor) shown(s string) bool {
	return s == "" || s == "[value]" || s == "[secret]" || r.names[strings.ToLower(s)] || address.MatchString(s)
}

func (r *Redactor) replace(p *regexp.Regexp, s string, k Kind, with func(string) string) string {
	return p.ReplaceAllStringFunc(s, func(m string) string {
		out := with(m)
		if out != m {
			r.counts[k]++
		}
		return out
	})
}

// take returns what was counted since the last time.
func (r *Redactor) take() map[Kind]int {
	taken := r.counts
	r.counts = map[Kind]int{}
	maps.DeleteFunc(taken, func(_ Kind, n int) bool { return n == 0 })
	return taken
}

// plain are the fields of documents that Tidemark's own decisions are in: they
// quote epochs and the like, and hold nothing of a row.
var plain = map[string]bool{"facts": true, "input": true, "replay": true}

// dropped are the fields that hold keys of rows.
var dropped = map[string]bool{"sample": true, "key": true, "keys": true}

// value takes secrets and values out of a JSON document.
func (r *Redactor) value(v any, text func(string) string) any {
	switch v := v.(type) {
	case string:
		return text(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i], text)
		}
	case map[string]any:
		for k, inner := range v {
			switch {
			case dropped[k] && holds(inner):
				r.counts[RowKey]++
				v[k] = "[key]"
			case plain[k]:
				v[k] = r.value(inner, r.Name)
			default:
				v[k] = r.value(inner, text)
			}
		}
	}
	return v
}

func holds(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

// line takes secrets and values out of one line of a log, which is a JSON
// document, or has one at its end.
func (r *Redactor) line(s string) string {
	i := strings.IndexByte(s, '{')
	if i >= 0 {
		d := json.NewDecoder(strings.NewReader(s[i:]))
		d.UseNumber()
		var doc map[string]any
		if err := d.Decode(&doc); err == nil && strings.TrimSpace(s[i+int(d.InputOffset()):]) == "" {
			if b, err := marshal(r.value(doc, r.Text), ""); err == nil {
				return r.Text(s[:i]) + string(b)
			}
		}
	}
	return r.Text(s)
}
