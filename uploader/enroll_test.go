package uploader_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

func TestEnroll(t *testing.T) {
	enrolled := func() *http.Response {
		return answer(200, "application/json", `{"customer":"acme","key":"tmk_acme_1","more":true}`)
	}
	for name, test := range map[string]struct {
		answers []func() *http.Response // the last for ever; nil: the connection breaks
		asked   int
		took    time.Duration // at least
		err     string        // part of it; "" for none
		hint    string
	}{
		"good":     {answers: []func() *http.Response{enrolled}, asked: 1},
		"busy":     {answers: []func() *http.Response{func() *http.Response { return problem(wire.Overloaded, "Retry-After", "7") }, enrolled}, asked: 2, took: 7 * time.Second},
		"too busy": {answers: []func() *http.Response{func() *http.Response { return problem(wire.Overloaded) }}, asked: 5, took: 4 * time.Second, err: "Too much at once", hint: "do this"},
		"refused":  {answers: []func() *http.Response{func() *http.Response { return problem(wire.NotFound) }}, asked: 1, err: "no such thing", hint: "do this"},
		"portal": {answers: []func() *http.Response{func() *http.Response { return answer(200, "text/html", "<html>") }}, asked: 1,
			err: "not the cloud's", hint: "answers in its place"},
		"old cloud": {answers: []func() *http.Response{func() *http.Response { return answer(404, "text/plain", "none") }}, asked: 1, err: "not the cloud's"},
		"halved":    {answers: []func() *http.Response{func() *http.Response { return answer(200, "application/json", `{"customer":"acme"}`) }}, asked: 1, err: "lacks"},
		// The code may be used up: it is not sent a second time.
		"broken": {answers: []func() *http.Response{nil}, asked: 1, err: "reset"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, began := 0, time.Now()
				c := uploader.Config{BaseURL: "https://cloud.example/api/", Transport: transport(func(r *http.Request) (*http.Response, error) {
					body, err := io.ReadAll(r.Body)
					if r.Method != "POST" || r.URL.String() != "https://cloud.example/api/v1/enroll" || string(body) != `{"code":"acme-1"}` || r.Header.Get("Authorization") != "" || err != nil {
						t.Errorf("%s %s %s %v", r.Method, r.URL, body, err)
					}
					next := test.answers[min(asked, len(test.answers)-1)]
					if asked++; next == nil {
						return nil, errors.New("connection reset")
					}
					return next(), nil
				})}
				got, err := uploader.Enroll(t.Context(), c, "acme-1")
				if asked != test.asked || time.Since(began) < test.took {
					t.Errorf("asked %d times in %s", asked, time.Since(began))
				}
				if test.err == "" {
					if err != nil || got != (wire.Enrolled{Customer: "acme", Key: "tmk_acme_1"}) {
						t.Errorf("%+v, %v", got, err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(fault.Hint(err), test.hint) {
					t.Errorf("%v, hint %q", err, fault.Hint(err))
				}
			})
		})
	}
}
