package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tidemark/internal/wire"
)

func testReport(t *testing.T, s *site) {
	rows := int64(2)
	report := wire.Report{
		Time: time.Now(), Version: "1.0", OS: "linux/amd64", Problem: &wire.Trouble{Kind: "config", Text: "line 7"},
		Sources: []wire.SourceReport{{Name: "main", Problem: &wire.Trouble{Kind: "login"}}},
		Tables:  []wire.TableReport{{Name: s.table, State: "behind", LagRows: 1 << 63, Rows: &rows}},
	}
	put := func(change ...func(*http.Request)) answer {
		t.Helper()
		body, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		return s.do(t, http.MethodPut, s.url("/report"), body, append(change, asJSON)...)
	}
	knowing := func(tag string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(wire.HeaderVersions, tag) }
	}

	// The answer is what a question for the versions would be answered with.
	s.load(t, `["1",1,"a"]`)
	var all, same, changed wire.Reported
	first := put()
	first.document(t, &all)
	if field := first.header.Get(wire.HeaderLease); field != "" { // a cloud may have none
		if l, ok := wire.ParseLease(field); !ok || l.Hold < l.Return {
			t.Errorf("%s: %s", wire.HeaderLease, field)
		}
	}
	if all.Tables[s.table] != s.version {
		t.Errorf("the report is answered with %+v, the version is %+v", all.Tables[s.table], s.version)
	}
	if tag := s.do(t, http.MethodGet, s.url("/versions"), nil).header.Get("ETag"); tag == "" || tag != all.Tag {
		t.Errorf("versions have the ETag %s, the report was answered with %s", tag, all.Tag)
	}
	put(knowing(all.Tag)).document(t, &same)
	if same.Tag != all.Tag || len(same.Tables) != 0 {
		t.Errorf("nothing has changed: %+v", same)
	}
	s.delta(t, `["2",1,"b"]`)
	put(knowing(all.Tag)).document(t, &changed)
	if changed.Tag == all.Tag || changed.Tables[s.table] != s.version {
		t.Errorf("after a change: %+v", changed)
	}

	bad := func(code wire.Code, body string) {
		t.Helper()
		s.do(t, http.MethodPut, s.url("/report"), []byte(body), asJSON).problem(t, code)
	}
	now := time.Now().UTC().Format(time.RFC3339)
	for _, body := range []string{"", "{", "7", "{}", `{"time":"yesterday"}`, `{"time":"` + now + `","tables":[{"name":"a"}]}`,
		`{"time":"` + now + `","tables":[{"name":"a","state":"ok"},{"name":"a","state":"ok"}]}`, `{"time":"` + now + `"}{}`,
		`{"time":"` + now + `","tables":[{"name":"a","state":"ok","quarantine":-1}]}`, fmt.Sprintf(`{"time":%q,"host":%q}`, now, strings.Repeat("x", wire.MaxReportText+1))} {
		bad(wire.Malformed, body)
	}
	bad(wire.TooLarge, fmt.Sprintf(`{"time":%q,"new":%q}`, now, strings.Repeat("x", wire.MaxReport)))
	var newer wire.Reported
	s.do(t, http.MethodPut, s.url("/report"), fmt.Appendf(nil, `{"time":%q,"new":{"a":1},"tables":[{"name":"a","state":"ok","new":7}]}`, now), asJSON).document(t, &newer)
}
