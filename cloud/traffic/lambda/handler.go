// Package lambda ships the access logs that an S3 bucket is given, as an AWS
// Lambda function. It knows no S3: Objects gives it what is in a bucket.
//
// Events come from S3 itself, or, which is better, through a queue of SQS with
// ReportBatchItemFailures: then only the messages whose objects failed return.
// A function has no place for a checkpoint: an object that was not delivered
// to its end is delivered again from its beginning, and log_file and log_line
// tell lines that come twice.
package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tidemark/cloud/traffic/logfile"
	"tidemark/cloud/traffic/ship"
)

// Objects gives what is in a bucket.
type Objects interface {
	// Get returns an object; ErrGone when it is not there any more.
	Get(ctx context.Context, bucket, key, version string) (io.ReadCloser, error)
}

// ErrGone is the error of an object that was deleted before it was read.
var ErrGone = errors.New("the object is not there any more")

// reserve is the time of an invocation that is kept for its answer.
const reserve = 5 * time.Second

// A Handler handles invocations, one after the other.
type Handler struct {
	Objects Objects
	Ship    ship.Shipper
	Tell    func(Outcome) // is told of each object
}

// An Outcome is what became of one object.
type Outcome struct {
	Object string `json:"object"` // bucket/key
	ship.Stats
	Took  time.Duration `json:"took_ns"`
	Gone  bool          `json:"gone,omitempty"`
	Error string        `json:"error,omitempty"`
	Again bool          `json:"again,omitempty"` // the object returns: its event was not handled
}

// Handle takes an event of S3, or of SQS with events of S3 in its messages.
// Its answer to SQS names the messages that are to return; its error is for
// events of S3, which return as a whole.
func (h *Handler) Handle(ctx context.Context, event json.RawMessage) (events.SQSEventResponse, error) {
	var none events.SQSEventResponse
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, deadline.Add(-reserve), errors.New("the time of the invocation is over"))
		defer cancel()
	}
	var queued events.SQSEvent
	if err := json.Unmarshal(event, &queued); err == nil && len(queued.Records) > 0 && queued.Records[0].EventSource == "aws:sqs" {
		answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, m := range queued.Records {
			if err := h.event(ctx, []byte(m.Body)); err != nil {
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return answer, nil
	}
	return none, h.event(ctx, event)
}

// event ships the objects of one event of S3. An error means that it has to
// return.
func (h *Handler) event(ctx context.Context, body []byte) error {
	var e struct {
		events.S3Event
		Event string // s3:TestEvent, when notifications are set up
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("the event is not one of S3: %w", err)
	}
	if e.Event == "s3:TestEvent" {
		return nil
	}
	if len(e.Records) == 0 {
		return errors.New("the event is not one of S3: it has no records")
	}
	var failed []error
	for _, r := range e.Records {
		if !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			continue
		}
		o := h.object(ctx, r)
		h.Tell(o)
		if o.Again {
			failed = append(failed, fmt.Errorf("%s: %s", o.Object, o.Error))
		}
	}
	return errors.Join(failed...)
}

// object ships one object. What cannot get better by itself, an object that is
// gone or cut off, is told and does not return.
func (h *Handler) object(ctx context.Context, r events.S3EventRecord) (o Outcome) {
	begun := time.Now()
	defer func() { o.Took = time.Since(begun) }()
	bucket, key := r.S3.Bucket.Name, r.S3.Object.Key
	if decoded, err := url.QueryUnescape(key); err == nil { // keys in events are so encoded
		key = decoded
	}
	o.Object = bucket + "/" + key
	again := func(err error) Outcome {
		o.Error, o.Again = err.Error(), true
		return o
	}
	if ctx.Err() != nil {
		return again(context.Cause(ctx))
	}
	in, err := h.Objects.Get(ctx, bucket, key, r.S3.Object.VersionID)
	if errors.Is(err, ErrGone) {
		o.Gone, o.Error = true, err.Error()
		return o
	}
	if err != nil {
		return again(err)
	}
	body := &watched{Reader: in}
	defer in.Close()
	log, err := logfile.NewReader(body)
	if err == nil {
		o.Stats, err = h.Ship.Log(ctx, o.Object, log, ship.Position{}, nil)
	}
	var broken *logfile.BrokenError
	switch {
	case err == nil:
		return o
	case errors.As(err, &broken) && body.err == nil && ctx.Err() == nil:
		o.Error = err.Error() // all of it was read: it is the object that is cut off
		return o
	}
	return again(err)
}

// watched tells an object that is cut off from a connection that is.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
