package uploader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Summary asks for the summary of a table, root and nodes, with sums of width
// bytes; for width 0 there are no nodes. read gets the message.
//
// The methods about summaries carry messages of wire.SummaryType and know
// nothing of what is in them. A message is whole, its checksum verified, before
// read is called, once, with the cloud's gates left, so that read may make
// calls of its own. The error of read is the caller's to judge: it is returned
// in a *fault.Error and never leads to another try. A table without a summary
// is a *Conflict with the problem wire.NoSummary, another layout than the
// question's one with wire.LayoutChanged.
func (c *Client) Summary(ctx context.Context, table string, width int, read func(io.Reader) error) error {
	return c.message(ctx, &request{
		op: "ask for the summary of " + table, table: table, method: http.MethodGet, path: []string{"tables", table, "summary"},
		query: url.Values{"width": {strconv.Itoa(width)}},
	}, nil, read)
}

// Leaves sends a question for the leaves of nodes; read gets the answer: see
// Summary. question is not kept.
func (c *Client) Leaves(ctx context.Context, table string, question []byte, read func(io.Reader) error) error {
	return c.message(ctx, &request{
		op: "ask for leaves of " + table, table: table, method: http.MethodPost, path: []string{"tables", table, "summary"},
	}, question, read)
}

// Differences sends the lists of the rows in leaves; read gets the
// differences: see Summary. question is not kept.
func (c *Client) Differences(ctx context.Context, table string, question []byte, read func(io.Reader) error) error {
	return c.message(ctx, &request{
		op: "compare leaves of " + table, table: table, method: http.MethodPost, path: []string{"tables", table, "manifest"},
	}, question, read)
}

func (c *Client) message(ctx context.Context, r *request, question []byte, read func(io.Reader) error) error {
	r.class, r.header = diff, http.Header{"Accept": {wire.SummaryType}}
	if question != nil {
		body, err := frame(c.bodies.take(len(question)), question)
		if err != nil {
			return fault.New(r.op, err, "")
		}
		defer c.bodies.give(body)
		r.body = body
		r.header.Set("Content-Type", wire.SummaryType)
		r.header.Set("Content-Encoding", "zstd")
	}
	var answer []byte
	large := false
	r.accept = func(a *reply) error {
		err := a.message(c.config.MaxAnswer)
		answer, large = a.body, errors.Is(err, wire.ErrTooLarge)
		if large { // whole so far, and the same when it is asked for again
			return nil
		}
		return err
	}
	if err := c.call(ctx, r); err != nil {
		return err
	}
	if large {
		return fault.New(r.op, fmt.Errorf("the answer: %w of %d bytes", wire.ErrTooLarge, c.config.MaxAnswer), "Tell the operator: the cloud answers with more than was asked for.")
	}
	return fault.New(r.op, c.unframe(answer, read), "")
}

// message makes sure that an answer is a whole message of at most max bytes.
// What it says is not looked at.
func (r *reply) message(max int64) error {
	if r.kind() != wire.SummaryType {
		return fmt.Errorf("it is %s, not %s", r.kind(), wire.SummaryType)
	}
	if encoding := r.header.Get("Content-Encoding"); encoding != "zstd" {
		return fmt.Errorf("it is not encoded as zstd but as %q", encoding)
	}
	if len(r.body) == 0 {
		return errors.New("it is empty")
	}
	f, err := wire.NewFrameReader(bytes.NewReader(r.body), max)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}

func (c *Client) unframe(answer []byte, read func(io.Reader) error) error {
	f, err := wire.NewFrameReader(bytes.NewReader(answer), c.config.MaxAnswer)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f)
}

// frame appends a frame of text to dst.
func frame(dst, text []byte) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	f := wire.NewFrameWriter(buf)
	defer f.Abandon()
	if _, err := f.Write(text); err != nil {
		return dst, err
	}
	if err := f.Close(); err != nil {
		return dst, err
	}
	return buf.Bytes(), nil
}
