package cloud

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tidemark/internal/wire"
)

// What names a customer, in a key, a code or a path, is a customer's ID; a
// code is the same however it is typed.
func FuzzCredentials(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	key, _ := NewKey("acme_2", now)
	code, invitation := NewInvitation("acme-north", now, time.Hour)
	if _, hash, ok := readCode(strings.ToLower(code)); !ok || hash != invitation.Hash {
		f.Fatal("a code is not its own")
	}
	for _, text := range []string{key, code, strings.ToLower(code), " a-b c d e-0OI1l-AAAAA-AAAAA-AAAAA", "tmk__", "tmk_../_x", "*", "..", "a\x00b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if customer, ok := keyCustomer(text); ok && (CheckCustomer(customer) != nil || !strings.HasPrefix(text, keyPrefix+customer+"_")) {
			t.Fatalf("key %q opens %q", text, customer)
		}
		customer, hash, ok := readCode(text)
		if ok && strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0 {
			if CheckCustomer(customer) != nil {
				t.Fatalf("code %q is of %q", text, customer)
			}
			for _, typed := range []string{strings.ToUpper(text), " " + text + "\t"} {
				if _, again, ok := readCode(typed); len(typed) <= 200 && (!ok || again != hash) {
					t.Fatalf("%q is a code, %q is not the same", text, typed)
				}
			}
		}
		if CheckTable(text) == nil && strings.ContainsAny(text, "\x00\r\n\x1b") {
			t.Fatalf("a table is named %q", text)
		}
	})
}

// What a store keeps of batches is read without trust, and is written as it
// was read.
func FuzzTaken(f *testing.F) {
	b := Taken{At: time.Unix(1, 0), Seq: 1 << 63, Kind: wire.Delete, Bytes: 7, Request: "r", Inserted: 1, Refused: 2}.Encode()
	f.Add(b)
	f.Add(append(bytes.Clone(b), b...))
	f.Add(bytes.Repeat([]byte{0xff}, takenSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, one := range DecodeTaken("t", b) {
			again := DecodeTaken("t", one.Encode())
			if len(again) != 1 || again[0] != one {
				t.Fatalf("%+v became %+v", one, again)
			}
		}
	})
}

// What operators decided is read or refused as a whole, and what holds for a
// customer can be told from it.
func FuzzRules(f *testing.F) {
	f.Add("policy", "fleet", `{"tables":{"dbo.t":{"disabled":true,"reason":"r"}},"pause":true}`)
	f.Add("group", "pilots", `{"customers":["acme"]}`)
	f.Add("rollout", "orders", `{"name":"orders","tables":["dbo.t"],"share":"25%","seed":"s","group":"pilots"}`)
	f.Add("rollout", "o", `{"share":"1e400%","bounds":[{"figure":"reads","times":-1}]}`)
	f.Fuzz(func(t *testing.T, kind, name, body string) {
		r, err := ReadRules(7, []Document{{Kind: Kind(kind), Name: name, Body: body, Revision: 3}, {Kind: KindGroup, Name: "pilots", Body: `{"customers":["acme"]}`}})
		if err != nil {
			return
		}
		for _, customer := range []string{"acme", "globex"} {
			_ = r.Effective(customer)
		}
		_ = r.tables()
	})
}
