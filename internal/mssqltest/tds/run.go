package tds

import "errors"

// run answers one request. Its error ends the connection.
func (c *conn) run(r request) error {
	w := &response{c: c, ctx: r.ctx, call: r.kind == rpcPacket}
	err := c.dispatch(r, w)
	var bad *protocolError
	if errors.As(err, &bad) {
		_ = w.fail(&Error{Number: 4002, State: 1, Class: 20,
			Message: "The incoming tabular data stream (TDS) protocol stream is incorrect: " + bad.what + "."})
		return err
	}
	return w.finish(err)
}

func (c *conn) dispatch(r request, w *response) error {
	body := cursor{b: r.body}
	descriptor, err := readHeaders(&body)
	if err != nil {
		return err
	}
	if r.status&(resetSession|resetSkipTran) != 0 {
		if err := c.reset(r); err != nil {
			return err
		}
	} else if descriptor != c.session.Transaction() && r.kind != transactionPacket {
		return &Error{Number: 3989, State: 1, Class: 16,
			Message: "New request is not allowed to start because it should come with valid transaction descriptor."}
	}
	switch r.kind {
	case batchPacket:
		sql, err := readBatch(&body)
		if err != nil {
			return err
		}
		return c.session.Batch(r.ctx, sql, nil, w)
	case rpcPacket:
		call, err := readRPC(&body)
		if err != nil {
			return err
		}
		sql, params, err := call.statement()
		if err != nil {
			return err
		}
		return c.session.Batch(r.ctx, sql, params, w)
	case transactionPacket:
		t, err := readTransaction(&body)
		if err != nil {
			return err
		}
		return c.transaction(r, w, t)
	}
	return malformed("a request of type %d", r.kind)
}

// reset restores the session before a request that asks for it.
func (c *conn) reset(r request) error {
	if r.status&resetSkipTran != 0 && c.session.Transaction() != 0 {
		return unsupported("reset that keeps a transaction")
	}
	if err := c.session.Reset(r.ctx); err != nil {
		return err
	}
	_ = c.put(appendEnvText(c.scratch[:0], envReset, "", ""))
	return c.announce(envRollback)
}

func (c *conn) transaction(r request, w *response, t transactionRequest) error {
	if t.kind == commitTransaction {
		if err := c.session.Commit(r.ctx); err != nil {
			return err
		}
		_ = c.announce(envCommit)
	}
	if t.kind == rollbackTransaction {
		if err := c.session.Rollback(r.ctx); err != nil {
			return err
		}
		_ = c.announce(envRollback)
	}
	if t.kind == beginTransaction || t.again {
		if _, err := c.session.Begin(r.ctx, t.level); err != nil {
			return err
		}
	}
	return nil
}
