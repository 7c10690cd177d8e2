package tds_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/internal/mssqltest/tds"
)

// The examples of MS-TDS, each one packet.
const (
	examplePrelogin = "12 01 00 2F 00 00 01 00 00 00 1A 00 06 01 00 20 00 01 02 00 21 00 01 03 00 22 00 04 04 00 26 00 01 FF" +
		"09 00 00 00 00 00 01 00 B8 0D 00 00 01" // section 4.1
	exampleLogin = "10 01 00 90 00 00 01 00 88 00 00 00 02 00 09 72 00 10 00 00 00 00 00 07 00 01 00 00 00 00 00 00" +
		"E0 03 00 00 00 00 00 00 09 04 00 00 5E 00 08 00 6E 00 02 00 72 00 00 00 72 00 07 00 80 00 00 00" +
		"80 00 00 00 80 00 04 00 88 00 00 00 88 00 00 00 00 50 8B E2 B7 8F 88 00 00 00 88 00 00 00 88 00" +
		"00 00 00 00 00 00 73 00 6B 00 6F 00 73 00 74 00 6F 00 76 00 31 00 73 00 61 00 4F 00 53 00 51 00" +
		"4C 00 2D 00 33 00 32 00 4F 00 44 00 42 00 43 00" // section 4.2
	exampleBatch = "01 01 00 5C 00 00 01 00 16 00 00 00 12 00 00 00 02 00 00 00 00 00 00 00 00 01 00 00 00 00 0A 00" +
		"73 00 65 00 6C 00 65 00 63 00 74 00 20 00 27 00 66 00 6F 00 6F 00 27 00 20 00 61 00 73 00 20 00" +
		"27 00 62 00 61 00 72 00 27 00 0A 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00 20 00" // section 4.6
	exampleRPC = "03 01 00 2F 00 00 01 00 16 00 00 00 12 00 00 00 02 00 00 00 00 00 00 00 00 01 00 00 00 00 04 00" +
		"66 00 6F 00 6F 00 33 00 00 00 00 02 26 02 00" // section 4.8

	exampleTransaction = 1 << 56 // the descriptor in 4.6 and 4.8
)

func bin(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// An anyone lets everybody in and keeps their logins; its sessions are in the
// examples' transaction.
type anyone struct {
	handler
	seen []tds.Login
}

func (a *anyone) Login(_ context.Context, l tds.Login) (tds.Session, error) {
	a.seen = append(a.seen, l)
	return &session{h: &a.handler, tran: exampleTransaction}, nil
}

func plainServer(t testing.TB, h tds.Handler, onError func(error)) *tds.Server {
	t.Helper()
	s, err := tds.NewServer(h, tds.Options{Encryption: tds.EncryptionUnavailable, MaxRequest: 1 << 16,
		LoginTimeout: 2 * time.Minute, OnError: onError})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A peer is a client that speaks in bytes.
type peer struct {
	net.Conn
	t testing.TB
}

func dial(t testing.TB, s *tds.Server) peer {
	c, err := s.DialContext(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	t.Cleanup(func() { _ = c.Close() })
	return peer{c, t}
}

// ask sends bytes and returns the body of the answer.
func (p peer) ask(b []byte) []byte {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
	var body []byte
	for {
		var h [8]byte
		if _, err := io.ReadFull(p, h[:]); err != nil {
			p.t.Fatal(err)
		}
		packet := make([]byte, binary.BigEndian.Uint16(h[2:])-8)
		if _, err := io.ReadFull(p, packet); err != nil {
			p.t.Fatal(err)
		}
		body = append(body, packet...)
		if h[0] != 4 {
			p.t.Fatalf("an answer of type %d", h[0])
		}
		if h[1]&1 != 0 {
			return body
		}
	}
}

func TestExamplesOfTheSpecification(t *testing.T) {
	var asked string
	h := &anyone{}
	h.batch = func(_ context.Context, sql string, _ []tds.Param, w tds.Writer) error {
		asked = sql
		char := tds.Type{Kind: tds.VarChar, Len: 3}
		return errors.Join(w.Columns([]tds.Column{{Name: "bar", Type: char}}), w.Row([][]byte{value(char, "foo")}), w.Done(1, true))
	}
	p := dial(t, plainServer(t, h, nil))

	want := bin("00 001A 0006  01 0020 0001  02 0021 0001  03 0022 0000  04 0022 0001  FF  0F0007D00000 02 00 00")
	if diff := cmp.Diff(want, p.ask(bin(examplePrelogin))); diff != "" {
		t.Error("PRELOGIN", diff)
	}
	answer := p.ask(bin(exampleLogin))
	if diff := cmp.Diff([]tds.Login{{User: "sa", Host: "skostov1", App: "OSQL-32"}}, h.seen); diff != "" {
		t.Error("LOGIN7", diff)
	}
	for what, part := range map[string]string{
		"database":    "E3 1B00 01 06 6D0061007300740065007200 06 6D0061007300740065007200",
		"collation":   "E3 0800 07 05 0904D00034 00",
		"packet size": "E3 1300 04 04 3400300039003600 04 3400300039003600",
		"version":     "AD 3200 01 74000004 14 4D006900630072006F0073006F00660074002000530051004C002000530065007200760065007200 0F0007D0",
		"end":         "FD 0000 0000 0000000000000000",
	} {
		if !bytes.Contains(answer, bin(part)) {
			t.Errorf("no %s in the answer to LOGIN7: % X", what, answer)
		}
	}
	want = bin("81 0100 00000000 0000 A7 0300 0904D00034 03 620061007200  D1 0300 666F6F" +
		"E3 0B00 08 08 0000000000000001 00  FD 1400 C100 0100000000000000")
	if diff := cmp.Diff(want, p.ask(bin(exampleBatch))); diff != "" {
		t.Error("SQLBatch", diff)
	}
	if asked != "\nselect 'foo' as 'bar'\n        " {
		t.Errorf("batch %q", asked)
	}
	answer = p.ask(bin(exampleRPC))
	if !bytes.HasPrefix(answer[3:], bin("FC0A0000 3E 10")) || !bytes.HasSuffix(answer, bin("FE 0600 0000 0000000000000000")) {
		t.Errorf("RPC: % X", answer)
	}
	// An attention to an idle server.
	if got := p.ask(bin("06 01 0008 0000 01 00")); !bytes.Equal(got, bin("FD 2400 0000 0000000000000000")) {
		t.Errorf("attention: % X", got)
	}
	// A request that its client takes back is not answered; the next one is.
	ignored := bin(exampleBatch)
	ignored[1] = 3
	if got := p.ask(append(ignored, bin(exampleRPC)...)); got[0] != 0xAA {
		t.Errorf("after a request taken back: % X", got)
	}
	// Without the right transaction nothing runs.
	asked = ""
	wrong := bin(exampleBatch)
	wrong[18]++
	if got := p.ask(wrong); !bytes.HasPrefix(got[3:], bin("950F0000 01 10")) || asked != "" {
		t.Errorf("wrong descriptor: % X", got)
	}
}

// request makes a packet of a request with its headers.
func request(kind byte, body string) []byte {
	b := append(bin("16000000 12000000 0200 0000000000000001 01000000"), bin(body)...)
	return append([]byte{kind, 1, byte((len(b) + 8) >> 8), byte(len(b) + 8), 0, 0, 1, 0}, b...)
}

const (
	statement = "FFFF 0A00 0000  00 00 E7 0200 0904D00034 0200 6100  00 00 E7 0200 0904D00034 0200 6100"
	param     = " 02 40006100 00 " // of name @a; type and value follow
)

func TestWrongInputEndsTheConnection(t *testing.T) {
	for _, c := range []struct{ name, prelogin, login, request, why string }{
		{name: "http", prelogin: hex.EncodeToString([]byte("GET / HTTP/1.1\r\n\r\n")), why: "unknown type 71"},
		{name: "short packet", prelogin: "12 01 0007 0000 01 00", why: "a packet of 7 bytes"},
		{name: "login first", prelogin: exampleLogin, why: "first packet of type 16"},
		{name: "prelogin without end", prelogin: "12 01 000D 0000 01 00  01 0004 0001", why: "terminator"},
		{name: "prelogin outside", prelogin: "12 01 000E 0000 01 00  01 00FF 0001 FF", why: "outside"},
		{name: "prelogin twice", login: examplePrelogin, why: "instead of a login"},
		{name: "login too short", login: "10 01 000C 0000 01 00 04000000", why: "LOGIN7 of 4 bytes"},
		{name: "login outside", login: strings.Replace(exampleLogin, "5E 00 08 00", "5E 00 08 FF", 1), why: "field at 36"},
		{name: "TDS 7.0", login: strings.Replace(exampleLogin, "02 00 09 72", "00 00 00 70", 1), why: "version"},
		{name: "two types", request: "01 00 0009 0000 01 00 00  03 01 0009 0000 02 00 00", why: "packet of type 3"},
		{name: "too much", request: strings.Repeat("01 00 4008 0000 01 00 "+strings.Repeat("00", 1<<14), 5), why: "more than 65536"},
		{name: "no headers", request: "01 01 000A 0000 01 00 6100", why: "without its headers"},
		{name: "long header", request: "01 01 0010 0000 01 00 08000000 FFFFFFFF", why: "without its headers"},
		{name: "odd batch", request: hex.EncodeToString(request(1, "61")), why: "odd number"},
		{name: "bulk load", request: hex.EncodeToString(request(7, "")), why: "request of type 7"},
		{name: "short name", request: hex.EncodeToString(request(3, "0500 6100")), why: "cut short"},
		{name: "short value", request: hex.EncodeToString(request(3, statement+param+"26 04 04 0000")), why: "cut short"},
		{name: "wrong size", request: hex.EncodeToString(request(3, statement+param+"26 04 03 000000")), why: "wrong value for int"},
		{name: "too long", request: hex.EncodeToString(request(3, statement+param+"A5 0100 0200 0000")), why: "2 bytes for varbinary(1)"},
		{name: "wrong decimal", request: hex.EncodeToString(request(3, statement+param+"6A 05 0100 05 01 FFFFFFFF")), why: "wrong value for decimal(1,0)"},
		{name: "scale", request: hex.EncodeToString(request(3, statement+param+"2A 08 00")), why: "scale 8"},
		{name: "PLP", request: hex.EncodeToString(request(3, statement+param+"A5 FFFF 0500000000000000 01000000 00 00000000")), why: "announces 5"},
		{name: "chunk", request: hex.EncodeToString(request(3, statement+param+"A5 FFFF FEFFFFFFFFFFFFFF FFFFFFFF 00")), why: "cut short"},
		{name: "two calls", request: hex.EncodeToString(request(3, statement+"FF")), why: "several calls"},
		{name: "isolation", request: hex.EncodeToString(request(14, "0500 06 00")), why: "transaction manager"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ended := make(chan error, 1)
			h := &anyone{}
			h.batch = func(context.Context, string, []tds.Param, tds.Writer) error { t.Error("ran"); return nil }
			p := dial(t, plainServer(t, h, func(err error) { ended <- err }))
			for i, b := range []string{c.prelogin, c.login, c.request} {
				if b != "" {
					go func() { _, _ = p.Write(bin(b)) }()
					break
				}
				p.ask(bin([]string{examplePrelogin, exampleLogin}[i]))
			}
			if _, err := io.Copy(io.Discard, p); err != nil {
				t.Fatalf("the server did not close the connection: %v", err)
			}
			if err := <-ended; !strings.Contains(fmt.Sprint(err), c.why) {
				t.Errorf("ended with %v, want %q", err, c.why)
			}
		})
	}
}

// What the server refuses without being broken leaves the connection good.
func TestUnsupportedRequests(t *testing.T) {
	h := &anyone{}
	h.batch = func(context.Context, string, []tds.Param, tds.Writer) error { return nil }
	p := dial(t, plainServer(t, h, nil))
	p.ask(bin(examplePrelogin))
	p.ask(bin(exampleLogin))
	for name, r := range map[string][]byte{
		"sp_prepare":     request(3, "FFFF 0B00 0000"),
		"table value":    request(3, statement+param+"F3 00"),
		"text":           request(3, statement+param+"23 FFFFFF7F 0904D00034 00000000"),
		"no name":        request(3, statement+"00 00 26 01 00"),
		"not a text":     request(3, "FFFF 0A00 0000  00 00 26 01 00"),
		"no statement":   request(3, "FFFF 0A00 0000"),
		"save point":     request(14, "0900 00"),
		"propagate":      request(14, "0100 0000"),
		"keep on reset":  append([]byte{1, 0x11}, request(1, "")[2:]...),
		"unknown number": request(3, "FFFF FF00 0000"),
	} {
		if got := p.ask(r); got[0] != 0xAA {
			t.Errorf("%s: % X", name, got)
		}
	}
	if got := p.ask(request(1, "6100")); got[0] == 0xAA {
		t.Errorf("afterwards: % X", got)
	}
}

// Whatever a client sends, the server neither panics nor keeps the connection
// after the client has left.
func TestGarbledConversations(t *testing.T) {
	h := &anyone{}
	h.batch = func(_ context.Context, _ string, params []tds.Param, w tds.Writer) error {
		for _, p := range params {
			if _, err := tds.DecodeValue(p.Type, p.Value); err != nil {
				panic(fmt.Sprintf("%v with % x: %v", p.Type, p.Value, err))
			}
		}
		return w.Done(0, false)
	}
	s := plainServer(t, h, nil)
	types := []string{"26 04 04 01000000", "6A 09 1202 05 01 01000000", "2B 07 0A 00000000005B950A3C00", "24 10 10" + strings.Repeat("11", 16),
		"A5 FFFF FEFFFFFFFFFFFFFF 01000000 00 00000000", "E7 0400 0904D00034 0200 6100", "62 00000000 06000000 38 00 07000000", "F1 00 FFFFFFFFFFFFFFFF",
		"1F", "38 01000000", "6D 08 00", "6F 08 08 0000000000000000", "6E 04 04 00000000", "28 03 000000"}
	rapid.Check(t, func(t *rapid.T) {
		call := statement
		for range rapid.IntRange(0, 3).Draw(t, "params") {
			call += param + rapid.SampledFrom(types).Draw(t, "type")
		}
		b := bytes.Join([][]byte{bin(examplePrelogin), bin(exampleLogin), request(1, "6100"), request(3, call),
			request(14, "0500 03 00"), bin("06 01 0008 0000 01 00"), request(3, call)}, nil)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			// the later half holds the types and values
			at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			if rapid.Bool().Draw(t, "late") {
				at = max(at, len(b)-1-at)
			}
			b[at] = rapid.Byte().Draw(t, "byte")
		}
		c, err := s.DialContext(context.Background(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(io.Discard, c)
		}()
		_ = c.SetWriteDeadline(time.Now().Add(2 * time.Minute))
		_, _ = c.Write(b)
		_ = c.Close()
		<-read
	})
}
