package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"tidemark/agent/journal"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// A sender sends the batches of one table, one after the other, each with the
// number behind the version that the one before returned.
type sender struct {
	t       *table
	cloud   Cloud
	schema  wire.Schema
	version wire.Version // the cloud's, as last answered
	epoch   string
	writer  wire.Writer
	take    bool // the first batch takes the table over
	keys    *keyer
	out     *journal.Outcome
}

// A conflict is the cloud's word that the table is not as the agent believed.
// The cycle adopts the version and decides again.
type conflict struct {
	code    wire.Code
	version wire.Version
	err     error
}

func (c *conflict) Error() string { return c.err.Error() }
func (c *conflict) Unwrap() error { return c.err }

// send compresses and sends lines.
func (s *sender) send(ctx context.Context, h wire.Header, lines []byte, n int) (wire.Answer, error) {
	packed, err := wire.EncodeLines(nil, lines)
	if err != nil {
		return wire.Answer{}, err
	}
	return s.sendPacked(ctx, h, packed, lines, n)
}

// sendPacked sends lines, which packed are as well, under the header, whose
// number, id, writer and so on it fills in. Rows that the cloud refuses go to
// the quarantine. A batch that is too large goes in halves; the last part alone
// carries what it completes.
func (s *sender) sendPacked(ctx context.Context, h wire.Header, packed, lines []byte, n int) (wire.Answer, error) {
	h.Protocol, h.Seq, h.ID = wire.Protocol, s.version.Seq+1, randomHex(16)
	h.Writer, h.TakeOver = s.writer, s.take
	h.Epoch, h.Schema, h.Rows = s.epoch, s.version.Schema, n
	post := s.cloud.Send
	if h.Kind == wire.Delete {
		post = s.cloud.Delete
	} else {
		h.Columns = columnNames(s.schema)
	}
	answer, err := post(ctx, s.t.site.Dataset, h, packed)
	s.out.Requests++
	if tooLarge(err) {
		return s.sendHalves(ctx, h, lines, n, err)
	}
	if err != nil {
		return answer, s.failed(err)
	}
	s.t.log.Debug("batch.sent", zap.String("kind", string(h.Kind)), zap.Uint64("seq", h.Seq), zap.Int("rows", n), zap.String("request", answer.Request))
	s.out.Batches++
	s.out.Request = answer.Request
	s.out.Bytes += int64(len(lines))
	s.out.Inserted += int64(answer.Inserted)
	s.out.Updated += int64(answer.Updated)
	s.out.Unchanged += int64(answer.Unchanged)
	s.out.Deleted += int64(answer.Deleted)
	s.take = false
	s.version = answer.Version
	s.t.answered(answer.Version, h.ID)
	if h.Kind == wire.Delete {
		return answer, nil
	}
	return answer, s.t.refused(lines, answer.Refused, s.keys, s.out)
}

func (s *sender) sendHalves(ctx context.Context, h wire.Header, lines []byte, n int, cause error) (wire.Answer, error) {
	if n == 0 {
		return wire.Answer{}, cause
	}
	if n == 1 {
		err := s.t.unsendable(lines, s.keys, "the cloud takes no body as large as this row", s.out)
		if err != nil {
			return wire.Answer{}, err
		}
		return s.send(ctx, h, nil, 0)
	}
	first := h
	first.Watermark, first.Cursor, first.Marks, first.Complete = nil, nil, nil, false
	at := half(lines, n)
	a, err := s.send(ctx, first, lines[:at], n/2)
	if err != nil {
		return a, err
	}
	h.Start = false
	b, err := s.send(ctx, h, lines[at:], n-n/2)
	b.Inserted += a.Inserted
	b.Updated += a.Updated
	b.Unchanged += a.Unchanged
	b.Deleted += a.Deleted
	b.Guarded += a.Guarded
	refused := a.Refused
	for _, r := range b.Refused {
		r.Row += n / 2
		refused = append(refused, r)
	}
	b.Refused = refused
	return b, err
}

// failed turns a conflict that carries a version into a *conflict.
func (s *sender) failed(err error) error {
	var c *uploader.Conflict
	if !errors.As(err, &c) || c.Problem == nil || c.Problem.Code == wire.SecondWriter {
		return err
	}
	again := &conflict{code: c.Problem.Code, err: err}
	if c.Problem.Version != nil {
		again.version = *c.Problem.Version
	}
	return again
}

func tooLarge(err error) bool {
	var p *wire.Problem
	return errors.As(err, &p) && p.Code == wire.TooLarge
}

func columnNames(s wire.Schema) []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// randomHex returns n random bytes as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil { // never (package documentation)
		panic(fmt.Sprint("no randomness: ", err))
	}
	return hex.EncodeToString(b)
}
