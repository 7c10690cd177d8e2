package postgres_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return base64.StdEncoding.EncodeToString(b)[:n]
}

var reasonOnly = cmpopts.IgnoreFields(wire.Refusal{}, "Reason")

// A key that is too long for an index entry is found among many rows, on
// every way into the table.
func TestRefusesKeysTooLongForTheIndex(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "k nvarchar(4000); v int")
	const n = 300
	batch := func(rv int, bad ...int) []string {
		rows := make([]string, n)
		for i := range rows {
			rows[i] = fmt.Sprintf(`["%d","key %d of %d",%d]`, rv+i, i, rv, rv)
		}
		for _, i := range bad {
			rows[i] = fmt.Sprintf(`["%d","%s",1]`, rv+i, noise(3500+i))
		}
		return rows
	}
	acme.load(nil, 1)
	for _, rv := range []int{1000, 2000} { // the first into an empty table, the second through the stage
		a := acme.apply(wire.Delta, batch(rv, 0, 150, 151, 299)...)
		want := wire.Answer{Version: a.Version, Inserted: n - 4, Refused: []wire.Refusal{{Row: 0}, {Row: 150}, {Row: 151}, {Row: 299}}}
		if d := cmp.Diff(want, a, reasonOnly); d != "" {
			t.Error(d)
		}
		for _, r := range a.Refused {
			if !strings.Contains(r.Reason, "index row") {
				t.Errorf("row %d: reason %q", r.Row, r.Reason)
			}
		}
	}
	if got := len(acme.rows()); got != 2*(n-4) {
		t.Errorf("%d rows", got)
	}
}

// A row that is too wide for a page cannot even be staged. The older version
// of it that the table holds is told.
func TestRefusesRowsTooWideForAPage(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	columns := "id int"
	const width = 700
	for i := range width {
		columns += fmt.Sprintf("; c%d nvarchar(100)", i)
	}
	acme := newSite(t, s, "acme", "t", columns)
	row := func(rv, id int, value string) string {
		return fmt.Sprintf(`["%d",%d%s]`, rv, id, strings.Repeat(","+value, width))
	}
	wide := `"` + noise(60) + `"`
	acme.load([][]byte{[]byte(row(1, 1, "null")), []byte(row(2, 2, "null"))}, 10)
	rows := []string{row(10, 1, wide), row(11, 2, `"x"`), row(12, 3, wide)}
	for id := 4; id < 1000; id++ {
		rows = append(rows, row(10+id, id, "null"))
	}
	a := acme.apply(wire.Delta, rows...)
	want := wire.Answer{Version: a.Version, Inserted: 996, Updated: 1, Refused: []wire.Refusal{{Row: 0, Present: true}, {Row: 2}}}
	if d := cmp.Diff(want, a, reasonOnly); d != "" {
		t.Error(d)
	}
	if a.Version.Rows != 998 {
		t.Errorf("%d rows", a.Version.Rows)
	}
}

func TestRefusesMomentsThatUTCPutsOutOfRange(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int; at datetimeoffset(0)")
	acme.load(nil, 1)
	a := acme.apply(wire.Delta, `["1",1,"9999-12-31T23:00:00-01:00"]`, `["2",2,"0001-01-01T00:00:00+00:01"]`,
		`["3",3,"9999-12-31T23:00:00+00:00"]`, `["4",4,"0001-01-01T00:00:00-14:00"]`)
	want := wire.Answer{Version: a.Version, Inserted: 2, Refused: []wire.Refusal{{Row: 0, Column: "at"}, {Row: 1, Column: "at"}}}
	if d := cmp.Diff(want, a, reasonOnly); d != "" {
		t.Error(d)
	}
	if a := acme.apply(wire.Delta, `["5",5,"9999-12-31T23:00:00-01:00"]`); len(a.Refused) != 1 || a.Inserted != 0 {
		t.Errorf("a batch of none but refused rows: %+v", a)
	}
	if d := cmp.Diff(map[string]string{"3": `"9999-12-31T23:00:00+00:00"`, "4": `"0001-01-01T14:00:00+00:00"`}, acme.rows()); d != "" {
		t.Error(d)
	}
}

// Of lines with one key the newest wins, whether the table has the key or not.
func TestOneKeyTwiceInABatch(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int; v int")
	const high = "18446744073709551615" // the row version is unsigned
	acme.load([][]byte{[]byte(`["5",1,50]`)}, 10)
	a := acme.apply(wire.Delta, `["7",1,70]`, `["`+high+`",1,99]`, `["6",1,60]`, `["9",2,90]`, `["8",2,80]`)
	if a.Inserted != 1 || a.Updated != 1 || a.Unchanged != 3 || a.Version.Rows != 2 {
		t.Errorf("%+v", a)
	}
	if a := acme.apply(wire.Delta, `["9223372036854775807",1,1]`, `["`+high+`",1,1]`); a.Unchanged != 2 {
		t.Errorf("older: %+v", a)
	}
	if d := cmp.Diff(map[string]string{"1": "99", "2": "90"}, acme.rows()); d != "" {
		t.Error(d)
	}
}

// The same in the first batch, which would go straight into the table.
func TestOneKeyTwiceInALoad(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int; v int")
	b := acme.batch(wire.Load, [][]byte{[]byte(`["7",1,70]`), []byte(`["8",1,80]`), []byte(`["1",2,10]`)})
	b.Header.Start = true
	a, err := s.Apply(t.Context(), b)
	if err != nil || a.Inserted != 2 || a.Unchanged+a.Updated != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if d := cmp.Diff(map[string]string{"1": "80", "2": "10"}, acme.rows()); d != "" {
		t.Error(d)
	}
}
