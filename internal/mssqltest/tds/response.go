package tds

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// A response is the answer to one request. It is the Writer of a Handler.
type response struct {
	c    *conn
	ctx  context.Context // ends with an attention
	call bool            // answers an RPC: statements end in DONEINPROC
	cols []Column        // of the open result set, else nil
	rows int64           // of the open result set

	// The DONE token of the last statement waits until it is known whether
	// it is the last of the response.
	waiting bool
	count   uint64
	status  uint16
	command uint16
}

var (
	errNoResultSet = errors.New("tds: a row outside of a result set")
	errOpenSet     = errors.New("tds: a result set is open")
)

// Columns implements Writer.
func (r *response) Columns(cols []Column) error {
	if r.cols != nil {
		return errOpenSet
	}
	if err := r.statement(); err != nil {
		return err
	}
	r.cols, r.rows = append([]Column{}, cols...), 0
	return r.c.put(appendColumns(r.c.scratch[:0], cols))
}

// Row implements Writer.
func (r *response) Row(values [][]byte) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.cols == nil {
		return errNoResultSet
	}
	if len(values) != len(r.cols) {
		return fmt.Errorf("tds: a row of %d values for %d columns", len(values), len(r.cols))
	}
	for i, v := range values {
		if ValueLen(r.cols[i].Type, v) != len(v) {
			return fmt.Errorf("tds: column %d: % x is not one whole value of %v", i+1, clip(v), r.cols[i].Type)
		}
	}
	r.rows++
	send, cut := r.c.server.faults.row(r.ctx, r.rows)
	out := r.c.out
	if send {
		_, _ = out.Write(rowStart)
		for i, v := range values {
			if r.cols[i].Type.form() == plp {
				r.writePLP(v)
			} else {
				_, _ = out.Write(v)
			}
		}
	}
	if cut {
		_ = out.flush(0)
		out.err = errCut
	}
	return out.err
}

var rowStart = []byte{rowToken}

// writePLP sends a value in chunks of the configured size.
func (r *response) writePLP(v []byte) {
	out := r.c.out
	_, _ = out.Write(v[:8])
	if binary.LittleEndian.Uint64(v) == plpNull {
		return
	}
	var size [4]byte
	_ = plpChunks(v, func(data []byte) error {
		for len(data) > 0 {
			n := min(len(data), r.c.server.options.ChunkSize)
			binary.LittleEndian.PutUint32(size[:], uint32(n))
			_, _ = out.Write(size[:])
			_, _ = out.Write(data[:n])
			data = data[n:]
		}
		return out.err
	})
	_, _ = out.Write([]byte{0, 0, 0, 0})
}

// Done implements Writer.
func (r *response) Done(count uint64, counted bool) error {
	if err := r.statement(); err != nil {
		return err
	}
	r.waiting, r.count, r.status, r.command = true, 0, 0, 0
	if counted {
		r.count, r.status = count, doneCount
	}
	if r.cols != nil {
		r.command = selectCommand
	}
	r.cols = nil
	return nil
}

// Info implements Writer.
func (r *response) Info(e *Error) error {
	if err := r.statement(); err != nil {
		return err
	}
	return r.c.put(appendMessage(r.c.scratch[:0], infoToken, e))
}

// statement begins what follows a statement: its DONE token is due, and is
// not the last.
func (r *response) statement() error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.endStatement(doneMore)
}

func (r *response) endStatement(more uint16) error {
	if !r.waiting {
		return nil
	}
	r.waiting = false
	token := byte(doneToken)
	if r.call {
		token = doneInProcToken
	}
	return r.c.put(appendDone(r.c.scratch[:0], token, r.status|more|r.c.inTransaction(), r.command, r.count))
}

// finish ends the response by what the Handler returned. Its error ends the
// connection.
func (r *response) finish(err error) error {
	if r.c.takeAttention() {
		return r.c.acknowledge()
	}
	var e *Error
	if err != nil && !errors.As(err, &e) {
		return err
	}
	if e != nil {
		return r.fail(e)
	}
	if r.call {
		_ = r.endStatement(doneMore)
		_ = r.c.put(append(r.c.scratch[:0], returnStatusToken, 0, 0, 0, 0))
		_ = r.c.announce(envCommit)
		_ = r.c.put(appendDone(r.c.scratch[:0], doneProcToken, r.c.inTransaction(), 0, 0))
	} else {
		_ = r.c.announce(envCommit)
		if r.waiting {
			_ = r.endStatement(0)
		} else {
			_ = r.c.put(appendDone(r.c.scratch[:0], doneToken, r.c.inTransaction(), 0, 0))
		}
	}
	return r.c.out.flush(endOfMessage)
}

// fail ends the response with an error.
func (r *response) fail(e *Error) error {
	_ = r.endStatement(doneMore)
	_ = r.c.put(appendMessage(r.c.scratch[:0], errorToken, e))
	if r.c.server.faults.hang.Load() {
		return r.c.hang()
	}
	_ = r.c.announce(envRollback)
	token := byte(doneToken)
	if r.call {
		token = doneProcToken
	}
	_ = r.c.put(appendDone(r.c.scratch[:0], token, doneError|r.c.inTransaction(), 0, 0))
	if err := r.c.out.flush(endOfMessage); err != nil {
		return err
	}
	const fatal = 20
	if e.Class >= fatal {
		return errEnded
	}
	return nil
}
