package main

import (
	"context"
	"encoding/json"
	"fmt"

	"tidemark/internal/wire"
	"tidemark/scheduler"
)

// upload registers the columns where the cloud has none, and sends what the
// decision says as one batch: no table here has more than one chunk.
func (c *evaluation) upload(ctx context.Context, d scheduler.Decision) error {
	if c.t.version.Schema != fingerprint {
		registered, err := c.client.Register(ctx, kinds[c.i].name, schema)
		if err != nil {
			return err
		}
		if err := c.t.secret.UnmarshalText([]byte(registered.Secret)); err != nil {
			return err
		}
		c.hear(registered.Version)
	}
	begun := c.in
	ceiling := c.db.counter
	h := wire.Header{Kind: wire.Delta, Watermark: &ceiling}
	var lines wire.Lines
	switch d.Upload {
	case scheduler.Delta:
		c.db.tables[c.i].above(c.t.version.Watermark, &lines)
	case scheduler.FirstLoad:
		c.in.State = scheduler.Next(c.in, d, scheduler.Begun)
		begun.State = c.in.State
		h.Kind, h.Start, h.Complete, h.Cursor = wire.Load, true, true, new(string)
		c.db.tables[c.i].above(0, &lines)
	default:
		return fmt.Errorf("%s was not expected: %s", d.Upload, d.Reason)
	}
	marks := c.marks()
	h.Marks = &marks
	answer, err := c.send(ctx, h, lines)
	if err != nil {
		return err
	}
	if len(answer.Refused) > 0 {
		return fmt.Errorf("refused: %+v", answer.Refused[0])
	}
	c.in.Uploaded = true
	c.in.State = scheduler.Next(begun, d, scheduler.Done)
	c.t.state = c.in.State
	if d.Upload != scheduler.Delta {
		c.askSource()
	}
	return nil
}

// marks are of the size that an agent's have: the epoch's, and the newest rows.
func (c *evaluation) marks() string {
	type sentinel struct {
		Key     string `json:"key"`
		Version uint64 `json:"version,string"`
	}
	m := struct {
		Marks     map[string]string `json:"marks"`
		Sentinels []sentinel        `json:"sentinels"`
	}{Marks: map[string]string{"family": epoch, "fork": epoch, "database": epoch}}
	versions := c.db.tables[c.i].versions
	for i := len(versions) - 1; i >= 0 && len(m.Sentinels) < 3; i-- {
		if versions[i] > 0 {
			m.Sentinels = append(m.Sentinels, sentinel{fmt.Sprintf("[%d]", i+1), versions[i]})
		}
	}
	text, err := json.Marshal(m)
	if err != nil { // texts and numbers alone: cannot fail
		panic(err)
	}
	return string(text)
}

// send sends a batch behind the version that the cloud answered last.
func (c *evaluation) send(ctx context.Context, h wire.Header, lines wire.Lines) (wire.Answer, error) {
	packed, err := wire.EncodeLines(nil, lines.Buf)
	if err != nil {
		return wire.Answer{}, err
	}
	h.Protocol, h.Seq, h.Writer = wire.Protocol, c.t.version.Seq+1, c.writer
	h.ID = fmt.Sprintf("%016x%016x", c.random.Uint64(), c.random.Uint64())
	h.Epoch, h.Schema, h.Rows = epoch, fingerprint, lines.N
	post := c.client.Delete
	if h.Kind != wire.Delete {
		post, h.Columns = c.client.Send, columns
	}
	answer, err := post(ctx, kinds[c.i].name, h, packed)
	if err == nil {
		c.hear(answer.Version)
		c.cloud.recorder.sent(lines.N)
	}
	return answer, err
}
