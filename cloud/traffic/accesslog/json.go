package accesslog

import (
	"bytes"
	"iter"
	"unicode/utf8"
)

// AppendJSON appends the line as one JSON object, without a line break, to b.
// Its members have AWS's names and types: numbers are numbers, times end with
// Z, lists are arrays; client:port becomes client_ip and client_port, the
// request request_verb, request_url and request_proto. What was not logged is
// left out. "kind" is the load balancer's, "@timestamp" the time, "extra" an
// array of fields that are not documented.
//
// If members is not empty, it is put into the object as it is: one or more
// members without the comma around them.
func (e *Entry) AppendJSON(b, members []byte) []byte {
	b = append(b, `{"kind":"`...)
	b = append(b, e.Kind.String()...)
	b = append(b, '"')
	b = appendStamp(append(b, `,"@timestamp":`...), e.values[places[e.Kind].time])
	fields := formats[e.Kind].fields
	for i, v := range e.values {
		if isNone(v) {
			continue
		}
		b = fields[i].append(b, v)
	}
	if len(e.Extra) > 0 {
		b = append(b, `,"extra":[`...)
		for i, v := range e.Extra {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, v)
		}
		b = append(b, ']')
	}
	if len(members) > 0 {
		b = append(append(b, ','), members...)
	}
	return append(b, '}')
}

func appendName(b []byte, name, suffix string) []byte {
	b = append(append(b, `,"`...), name...)
	return append(append(b, suffix...), `":`...)
}

func (f field) append(b, v []byte) []byte {
	switch f.form {
	case integer:
		return appendNumber(appendName(b, f.name, ""), v)
	case seconds:
		if string(v) == "-1" {
			return b
		}
		return appendNumber(appendName(b, f.name, ""), v)
	case stamp:
		return appendStamp(appendName(b, f.name, ""), v)
	case endpoint:
		address, port, _ := cutEndpoint(v)
		b = appendString(appendName(b, f.name, "_ip"), address)
		return appendNumber(appendName(b, f.name, "_port"), port)
	case request:
		method, url, protocol := cutRequest(v)
		if method == nil && url == nil && protocol == nil && !bytes.HasPrefix(v, []byte("- - -")) {
			return appendString(appendName(b, f.name, ""), v) // what it is instead
		}
		for _, part := range [...]struct {
			name  string
			value []byte
		}{{"_verb", method}, {"_url", url}, {"_proto", protocol}} {
			if part.value != nil {
				b = appendString(appendName(b, f.name, part.name), part.value)
			}
		}
		return b
	case texts, integers:
		b = append(appendName(b, f.name, ""), '[')
		n := 0
		for part := range elements(v) {
			if n++; n > 1 {
				b = append(b, ',')
			}
			switch {
			case f.form == texts:
				b = appendString(b, part)
			case isNone(part):
				b = append(b, "null"...)
			default:
				b = appendNumber(b, part)
			}
		}
		return append(b, ']')
	}
	return appendString(appendName(b, f.name, ""), v)
}

// elements are the parts of a list: AWS separates some by spaces, some by
// commas, and puts some in quotes.
func elements(v []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(v) > 0 {
			i := bytes.IndexAny(v, " ,")
			part := v
			if i < 0 {
				v = nil
			} else {
				part, v = v[:i], v[i+1:]
			}
			if n := len(part); n > 2 && part[0] == '"' && part[n-1] == '"' {
				part = part[1 : n-1]
			}
			if len(part) > 0 && !yield(part) {
				return
			}
		}
	}
}

// appendNumber appends a checked number; JSON has no leading zeros.
func appendNumber(b, v []byte) []byte {
	if v[0] == '-' {
		b, v = append(b, '-'), v[1:]
	}
	for len(v) > 1 && v[0] == '0' && v[1] != '.' {
		v = v[1:]
	}
	if v[len(v)-1] == '.' {
		v = v[:len(v)-1]
	}
	return append(b, v...)
}

func appendStamp(b, v []byte) []byte {
	b = append(append(b, '"'), v...)
	if v[len(v)-1] != 'Z' {
		b = append(b, 'Z')
	}
	return append(b, '"')
}

const hex = "0123456789abcdef"

// plain are the bytes that a JSON string holds as they are.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(b, v []byte) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(v); {
		c := v[i]
		if plain[c] {
			i++
			continue
		}
		b = append(b, v[from:i]...)
		switch {
		case c == '\\' && i+1 < len(v) && v[i+1] == '"':
			b = append(b, `\"`...)
			i += 2
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < utf8.RuneSelf:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		default:
			r, size := utf8.DecodeRune(v[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, `\ufffd`...)
			} else {
				b = append(b, v[i:i+size]...)
			}
			i += size
		}
		from = i
	}
	return append(append(b, v[from:]...), '"')
}
