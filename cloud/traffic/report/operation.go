package report

import (
	"bytes"
	"net/url"
	"strings"

	"tidemark/cloud"
)

// An operation is a path of the API, cut at its slashes.
type operation struct {
	segments []string // "{customer}" for what differs
	endpoint string
}

// operations knows the API's paths.
type operations []operation

// newOperations makes the table from the API's own routes. An endpoint has the
// name of its path's last word; what has none, as a table, that of what stands
// there.
func newOperations(api []cloud.Operation) (out operations) {
	seen := map[string]bool{}
	for _, o := range api {
		if seen[o.Path] {
			continue
		}
		seen[o.Path] = true
		segments := strings.Split(strings.Trim(o.Path, "/"), "/")
		last := segments[len(segments)-1]
		out = append(out, operation{segments, strings.Trim(last, "{}")})
	}
	return out
}

// unknown is the endpoint of paths that are none of the API's.
const unknown = "(unknown)"

// find tells what a URL, or a path, asks for. customer and table are "" where
// the endpoint has none.
func (o operations) find(target []byte) (endpoint, customer, table string) {
	path := pathOf(target)
	for _, op := range o {
		if customer, table, ok := op.match(path); ok {
			return op.endpoint, customer, table
		}
	}
	return unknown, "", ""
}

// pathOf cuts scheme, host and query off.
func pathOf(target []byte) []byte {
	if i := bytes.Index(target, []byte("://")); i >= 0 {
		target = target[i+3:]
		slash := bytes.IndexByte(target, '/')
		if slash < 0 {
			return nil
		}
		target = target[slash:]
	}
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	return bytes.TrimPrefix(target, []byte{'/'})
}

func (op *operation) match(path []byte) (customer, table string, ok bool) {
	var c, t []byte
	for i, want := range op.segments {
		part := path
		if end := bytes.IndexByte(path, '/'); end >= 0 {
			part, path = path[:end], path[end+1:]
		} else {
			path = nil
		}
		if last := i == len(op.segments)-1; len(part) == 0 || last != (path == nil) {
			return "", "", false
		}
		switch {
		case want == "{customer}":
			c = part
		case want == "{table}":
			t = part
		case string(part) != want:
			return "", "", false
		}
	}
	return unescaped(c), unescaped(t), true
}

func unescaped(b []byte) string {
	s, err := url.PathUnescape(string(b))
	if err != nil {
		return string(b)
	}
	return s
}
