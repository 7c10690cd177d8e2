package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud/traffic/lambda"
	"tidemark/cloud/traffic/ship"
)

const line = `http 2026-07-02T22:23:00.186641Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.001 0.002 0.003 200 200 34 366 "GET http://example.com:80/v1/customers/c/versions HTTP/1.1" "agent" - - arn:tg "Root=1"` + "\n"

// logs are objects that all hold the same.
type logs struct{}

func (logs) Get(context.Context, string, string, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(strings.Repeat(line, 10_000))), nil
}

// silent is an endpoint that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// putAside wants nothing to be set aside.
type putAside struct{}

func (putAside) Put(ship.Reject) error { return errors.New("of the test") }

// What there is no time for returns, before the runtime ends the function.
func TestClockOfTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []lambda.Outcome
		h := lambda.Handler{
			Objects: logs{}, Tell: func(o lambda.Outcome) { told = append(told, o) },
			Ship: ship.Shipper{To: &ship.Endpoint{URL: "http://endpoint.example", Client: &http.Client{Transport: silent{}}},
				Rejects: putAside{}, Workers: 2, Block: 100_000},
		}
		var messages []string
		for i := range 2 {
			messages = append(messages, fmt.Sprintf(`{"messageId":"m%d","eventSource":"aws:sqs","body":"{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"%d.log\"}}}]}"}`, i, i))
		}
		const deadline = 15 * time.Minute
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		answer, err := h.Handle(ctx, json.RawMessage(`{"Records":[`+strings.Join(messages, ",")+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		var failed []string
		for _, f := range answer.BatchItemFailures {
			failed = append(failed, f.ItemIdentifier)
		}
		if diff := cmp.Diff([]string{"m0", "m1"}, failed); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(begun); took != deadline-5*time.Second {
			t.Errorf("it took %s of %s", took, deadline)
		}
		if len(told) != 2 || !told[0].Again || !told[1].Again || told[1].Took != 0 {
			t.Errorf("%+v", told)
		}
	})
}
