package uploader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Compare sends manifest lines of the source and learns which rows the cloud
// lacks or holds in another version.
func (c *Client) Compare(ctx context.Context, table string, h wire.ManifestHeader, lines []byte) (wire.Comparison, error) {
	op := fmt.Sprintf("compare %d rows of %s", h.Rows, table)
	body, err := wire.EncodeBody(c.bodies.take(len(lines)/2), h, lines)
	if err != nil {
		return wire.Comparison{}, fault.New(op, err, "")
	}
	defer c.bodies.give(body)
	var result wire.Comparison
	err = c.call(ctx, &request{
		op: op, class: diff, table: table, method: http.MethodPost, path: []string{"tables", table, "manifest"},
		header: linesHeader(), body: body,
		accept: func(a *reply) error {
			result = wire.Comparison{}
			if err := a.document(&result); err != nil {
				return err
			}
			return errors.Join(checkEpoch(result.Version, h), checkIndexes(result.Missing, h.Rows), checkIndexes(result.Stale, h.Rows))
		},
	})
	if err != nil {
		return wire.Comparison{}, err
	}
	return result, nil
}

// checkEpoch guards a comparison against an answer about another table: one
// that is not in the asked epoch would have been a conflict.
func checkEpoch(v wire.Version, h wire.ManifestHeader) error {
	if v.Epoch != h.Epoch {
		return fmt.Errorf("it is about epoch %q, not %q", v.Epoch, h.Epoch)
	}
	return nil
}

func checkIndexes(idx []int, n int) error {
	last := -1
	for _, i := range idx {
		if i <= last || i >= n {
			return fmt.Errorf("it names line %d of %d, after %d", i, n, last)
		}
		last = i
	}
	return nil
}

// List appends one page of the cloud's rows, as manifest lines in its key
// order, to out.
func (c *Client) List(ctx context.Context, table string, h wire.ManifestHeader, out *wire.Lines) (wire.ListHeader, error) {
	op := "list the rows of " + table
	body, err := wire.EncodeBody(nil, h, nil)
	if err != nil {
		return wire.ListHeader{}, fault.New(op, err, "")
	}
	var head wire.ListHeader
	start := *out
	err = c.call(ctx, &request{
		op: op, class: diff, table: table, method: http.MethodPost, path: []string{"tables", table, "manifest"},
		header: linesHeader(), body: body,
		accept: func(a *reply) error {
			head = wire.ListHeader{}
			out.Buf, out.N = out.Buf[:len(start.Buf)], start.N
			return a.list(&head, out, h, c.config.MaxAnswer)
		},
	})
	if err != nil {
		out.Buf, out.N = out.Buf[:len(start.Buf)], start.N
		return wire.ListHeader{}, err
	}
	return head, nil
}

func (r *reply) list(head *wire.ListHeader, out *wire.Lines, h wire.ManifestHeader, limit int64) error {
	if r.kind() != wire.ContentType {
		return fmt.Errorf("it is %s, not %s", r.kind(), wire.ContentType)
	}
	body, err := r.lines(limit)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := body.Header(head); err != nil {
		return err
	}
	if head.Rows < 0 || head.Rows > h.Limit {
		return fmt.Errorf("it has %d rows where %d were asked for", head.Rows, h.Limit)
	}
	body.Expect(head.Rows)
	for {
		line, err := body.Next()
		if errors.Is(err, io.EOF) {
			return checkEpoch(head.Version, h)
		}
		if err != nil {
			return err
		}
		out.Buf = append(append(out.Buf, line...), '\n')
		out.N++
	}
}
