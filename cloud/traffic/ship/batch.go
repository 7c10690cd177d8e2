package ship

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"tidemark/cloud/traffic/accesslog"
	"tidemark/cloud/traffic/logfile"
	"tidemark/internal/fault"
)

// A Reject is a line that was not delivered.
type Reject struct {
	File   string `json:"log_file"`
	Line   int64  `json:"log_line"`
	Reason string `json:"reason"`
	Bytes  int64  `json:"bytes"` // of the line
	Text   string `json:"text"`  // of a line over 4 MiB, or one that is not whole, the beginning
}

// Rejects keeps what was not delivered. It may be called by several goroutines.
type Rejects interface {
	Put(Reject) error
}

// A batch makes JSON lines of blocks and sends them. One goroutine uses it.
type batch struct {
	to      *Endpoint
	rejects Rejects
	file    string
	quoted  string // file as a JSON string
	parser  accesslog.Parser
	members []byte
	out     []byte
	ends    []int   // of the lines in out
	numbers []int64 // of the lines in out
	texts   [][]byte
	stats   Stats
}

// send delivers a block or sets its lines aside.
func (b *batch) send(ctx context.Context, block *logfile.Block) error {
	if block.Long > 0 {
		return b.reject(Reject{Line: block.Line, Bytes: block.Long, Text: string(block.Data),
			Reason: fmt.Sprintf("the line is longer than %d bytes", logfile.MaxLine)}, &b.stats.Malformed)
	}
	b.out, b.ends, b.numbers, b.texts = b.out[:0], b.ends[:0], b.numbers[:0], b.texts[:0]
	err := block.Each(func(line []byte, number int64) error {
		b.stats.Lines++
		if len(line) == 0 {
			return nil
		}
		e, err := b.parser.Parse(line)
		if err != nil {
			return b.reject(Reject{Line: number, Bytes: int64(len(line)), Text: string(line), Reason: err.Error()}, &b.stats.Malformed)
		}
		b.members = append(append(b.members[:0], `"log_file":`...), b.quoted...)
		b.members = strconv.AppendInt(append(b.members, `,"log_line":`...), number, 10)
		b.out = append(e.AppendJSON(b.out, b.members), '\n')
		b.ends, b.numbers, b.texts = append(b.ends, len(b.out)), append(b.numbers, number), append(b.texts, line)
		return nil
	})
	if err != nil {
		return err
	}
	return b.deliver(ctx, 0, len(b.ends))
}

// deliver sends the lines from..to. A part that the endpoint refuses is cut in
// two until the lines that it refuses are alone.
func (b *batch) deliver(ctx context.Context, from, to int) error {
	if from == to {
		return nil
	}
	start := 0
	if from > 0 {
		start = b.ends[from-1]
	}
	err := b.to.Send(ctx, b.out[start:b.ends[to-1]])
	var refused *RefusedError
	switch {
	case err == nil:
		b.stats.Delivered += int64(to - from)
		return nil
	case !errors.As(err, &refused):
		return err
	case to-from == 1:
		return b.reject(Reject{Line: b.numbers[from], Bytes: int64(len(b.texts[from])), Text: string(b.texts[from]), Reason: err.Error()}, &b.stats.Refused)
	}
	middle := from + (to-from)/2
	if err := b.deliver(ctx, from, middle); err != nil {
		return err
	}
	return b.deliver(ctx, middle, to)
}

func (b *batch) reject(r Reject, count *int64) error {
	r.File = b.file
	*count++
	return fault.New("set aside line "+strconv.FormatInt(r.Line, 10)+" of "+r.File, b.rejects.Put(r), "")
}
