package uploader

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Send sends a batch of inserts and updates: h.Rows lines as
// wire.EncodeLines makes them. packed is not kept.
func (c *Client) Send(ctx context.Context, table string, h wire.Header, packed []byte) (wire.Answer, error) {
	return c.batch(ctx, http.MethodPost, fmt.Sprintf("send %d rows of %s", h.Rows, table), table, h, packed)
}

// Delete sends a batch of guarded deletes: lines of stamp and key, as
// wire.EncodeLines makes them. packed is not kept.
func (c *Client) Delete(ctx context.Context, table string, h wire.Header, packed []byte) (wire.Answer, error) {
	return c.batch(ctx, http.MethodDelete, fmt.Sprintf("delete %d rows of %s", h.Rows, table), table, h, packed)
}

func (c *Client) batch(ctx context.Context, method, op, table string, h wire.Header, packed []byte) (wire.Answer, error) {
	body, err := wire.EncodeHeader(c.bodies.take(len(packed)+1<<10), h)
	if err != nil {
		return wire.Answer{}, fault.New(op, err, "")
	}
	body = append(body, packed...)
	defer c.bodies.give(body)
	var answer wire.Answer
	r := &request{
		op: op, class: rows, table: table, method: method, path: []string{"tables", table, "rows"},
		header: linesHeader(), body: body,
		accept: func(a *reply) error {
			answer = wire.Answer{} // of an answer before that was none
			if err := a.document(&answer); err != nil {
				return err
			}
			return checkAnswer(answer, h)
		},
	}
	if err := c.call(ctx, r); err != nil {
		return wire.Answer{}, err
	}
	answer.Request = r.id
	return answer, nil
}

// checkAnswer holds an answer against the batch that it is for.
func checkAnswer(a wire.Answer, h wire.Header) error {
	if a.Version.Seq != h.Seq || a.Version.Epoch != h.Epoch {
		return fmt.Errorf("it is about batch %d of epoch %q, not %d of %q", a.Version.Seq, a.Version.Epoch, h.Seq, h.Epoch)
	}
	last := -1
	for _, r := range a.Refused {
		if r.Row <= last || r.Row >= h.Rows {
			return fmt.Errorf("it refuses row %d of %d, after %d", r.Row, h.Rows, last)
		}
		last = r.Row
	}
	return nil
}

func linesHeader() http.Header {
	return http.Header{"Content-Type": {wire.ContentType}, "Content-Encoding": {"zstd"}}
}

// A Drop says who drops a table, and which state of it.
type Drop struct {
	Writer   wire.Writer
	TakeOver bool
	Seq      *uint64 // the version's; nil: whatever it is
}

// DropAll deletes all rows of a table in the cloud and resets its version.
func (c *Client) DropAll(ctx context.Context, table string, d Drop) (wire.Answer, error) {
	q := url.Values{"writer": {d.Writer.ID}, "writer_name": {d.Writer.Name}, "writer_run": {d.Writer.Run}}
	if d.TakeOver {
		q.Set("take_over", "true")
	}
	if d.Seq != nil {
		q.Set("seq", strconv.FormatUint(*d.Seq, 10))
	}
	var answer wire.Answer
	err := c.call(ctx, &request{
		op: "drop all rows of " + table, class: rows, table: table, method: http.MethodDelete, path: []string{"tables", table, "rows"}, query: q,
		accept: func(a *reply) error { answer = wire.Answer{}; return a.document(&answer) },
	})
	return answer, err
}
