package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// An Entry is one line. Its slices are parts of the line, and valid as long as
// that is left alone and until the next Parse.
type Entry struct {
	Kind   Kind
	Time   time.Time // when the answer was sent; Network: when the connection ended
	Client []byte    // address, without the port; nil: not logged

	// Of the request; all nil with Network, and where the load balancer could
	// not read the request. UserAgent and Host are nil where none is logged.
	Method, URL, Protocol []byte
	UserAgent, Host       []byte

	Status, TargetStatus int           // of HTTP; 0: none
	Received, Sent       int64         // bytes, with heads
	Took                 time.Duration // from the request's head to the answer's end; -1: not known

	Extra [][]byte // fields behind those that are documented

	values [][]byte
}

// A Parser parses lines. It is not for several goroutines at once.
type Parser struct {
	entry  Entry
	values [maxFields][]byte
}

// Parse parses a line without its line break. The Entry is the Parser's own,
// valid until the next call. The error tells the first field that is not what
// it should be.
func (p *Parser) Parse(line []byte) (*Entry, error) {
	if len(line) == 0 {
		return nil, errors.New("the line is empty")
	}
	values, err := split(line, p.values[:0])
	if err != nil {
		return nil, err
	}
	kind, ok := kindOf(values[0])
	if !ok {
		return nil, fmt.Errorf("it begins with %s, which is neither a time nor a type of load balancer", shown(values[0]))
	}
	format := &formats[kind]
	if len(values) < format.least {
		return nil, fmt.Errorf("it has %d fields; lines of %s load balancers have at least %d", len(values), kind, format.least)
	}
	p.entry = Entry{Kind: kind, values: values}
	e := &p.entry
	if known := len(format.fields); len(values) > known {
		e.values, e.Extra = values[:known], values[known:]
	}
	for i, v := range e.values {
		if f := format.fields[i]; !isNone(v) && !f.form.accepts(v) {
			return nil, fmt.Errorf("field %d, %s, is %s", i+1, f.name, shown(v))
		}
	}
	return e, e.fill()
}

// shown quotes the begin of a value.
func shown(v []byte) string {
	if len(v) > 40 {
		return fmt.Sprintf("%q...", v[:40])
	}
	return fmt.Sprintf("%q", v)
}

func (f form) accepts(v []byte) (ok bool) {
	switch f {
	case integer:
		_, ok = parseInt(v)
	case seconds:
		_, ok = parseSeconds(v)
	case stamp:
		_, ok = parseStamp(v)
	case endpoint:
		_, _, ok = cutEndpoint(v)
	case integers:
		for part := range elements(v) {
			if _, ok := parseInt(part); !ok && !isNone(part) {
				return false
			}
		}
		return true
	default:
		return true
	}
	return ok
}

// fill sets the typed fields.
func (e *Entry) fill() error {
	at := places[e.Kind]
	var ok bool
	if e.Time, ok = parseStamp(e.values[at.time]); !ok {
		return errors.New("it has no time")
	}
	e.Client, _, _ = cutEndpoint(e.values[at.client])
	e.Received, e.Sent, e.Took = e.number(at.received), e.number(at.sent), -1
	e.UserAgent, e.Host = e.text(at.agent), e.text(at.host)
	if at.took >= 0 {
		e.Status, e.TargetStatus = int(e.number(at.status)), int(e.number(at.target))
		e.Took = e.took(at.took)
		e.Method, e.URL, e.Protocol = cutRequest(e.values[at.request])
	}
	return nil
}

func (e *Entry) number(i int) int64 {
	n, _ := parseInt(e.values[i]) // checked; none is 0
	return n
}

func (e *Entry) text(i int) []byte {
	if i < 0 || i >= len(e.values) || isNone(e.values[i]) {
		return nil
	}
	return e.values[i]
}

// took sums three times up. One that is not known makes the sum so.
func (e *Entry) took(i int) (sum time.Duration) {
	for _, v := range e.values[i : i+3] {
		d, ok := parseSeconds(v)
		if !ok || d < 0 {
			return -1
		}
		sum += d
	}
	return sum
}

// cutRequest parts `METHOD URL PROTOCOL`. The URL may hold spaces, which some
// clients send; parts that are "-" are nil. Classic load balancers log "- - - ",
// with a blank at its end, for a connection without a request.
func cutRequest(v []byte) (method, url, protocol []byte) {
	v = bytes.TrimRight(v, " ")
	first, last := bytes.IndexByte(v, ' '), bytes.LastIndexByte(v, ' ')
	if first < 0 || last == first {
		return nil, nil, nil
	}
	method, url, protocol = v[:first], v[first+1:last], v[last+1:]
	for _, part := range []*[]byte{&method, &url, &protocol} {
		if isNone(*part) || len(*part) == 0 {
			*part = nil
		}
	}
	return method, url, protocol
}
