package tds

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Faults is what a server does wrong on purpose. All of it can be changed
// while connections are open and takes effect with their next packet, row,
// error or login. The zero value is a healthy server.
type Faults struct {
	drop, hang  atomic.Bool
	refuse      atomic.Pointer[Error]
	packetDelay atomic.Int64 // ns
	rowDelay    atomic.Pointer[rowDelay]
	rows, bytes countdown
}

type rowDelay struct {
	every int64
	pause time.Duration
}

// DropConnections makes the server close every new connection at once.
func (f *Faults) DropConnections(on bool) { f.drop.Store(on) }

// RefuseLogins makes the server answer every login with e; nil ends that.
func (f *Faults) RefuseLogins(e *Error) { f.refuse.Store(e) }

// HangAfterError makes the server fall silent after an ERROR token: neither
// the end of the response nor the acknowledgement of an attention follows,
// and the connection stays open until the client closes it.
func (f *Faults) HangAfterError(on bool) { f.hang.Store(on) }

// DelayPackets makes the server wait before every packet of a response.
func (f *Faults) DelayPackets(d time.Duration) { f.packetDelay.Store(int64(d)) }

// DelayRows makes the server wait before every n-th row of a result set; n
// below 1 ends that.
func (f *Faults) DelayRows(n int, d time.Duration) {
	if n < 1 {
		f.rowDelay.Store(nil)
		return
	}
	f.rowDelay.Store(&rowDelay{int64(n), d})
}

// CutAfterRows cuts the connection that sends the n-th row from now on, after
// that row (at once for n = 0). It happens once; n below 0 calls it off.
func (f *Faults) CutAfterRows(n int64) { f.rows.set(n) }

// CutAfterBytes cuts the connection that sends the n-th byte from now on,
// packet headers included, after that byte, wherever in a value it stands. It
// happens once; n below 0 calls it off.
func (f *Faults) CutAfterBytes(n int64) { f.bytes.set(n) }

// Clear ends all faults.
func (f *Faults) Clear() {
	f.DropConnections(false)
	f.RefuseLogins(nil)
	f.HangAfterError(false)
	f.DelayPackets(0)
	f.DelayRows(0, 0)
	f.CutAfterRows(-1)
	f.CutAfterBytes(-1)
}

var errCut = errors.New("tds: connection cut on purpose")

// A countdown reaches zero once, shared by all connections.
type countdown struct{ left atomic.Int64 } // one more than is left, 0 when off

func (c *countdown) set(n int64) { c.left.Store(max(n, -1) + 1) }

// take asks for n and gets what is left; hit tells that nothing is, now.
func (c *countdown) take(n int64) (granted int64, hit bool) {
	for {
		left := c.left.Load()
		switch {
		case left == 0:
			return n, false
		case n < left-1:
			if c.left.CompareAndSwap(left, left-n) {
				return n, false
			}
		default:
			if c.left.CompareAndSwap(left, 0) {
				return left - 1, true
			}
		}
	}
}

// packet is asked before a packet of the given size is sent.
func (f *Faults) packet(ctx context.Context, size int) (int, error) {
	pause(ctx, time.Duration(f.packetDelay.Load()))
	granted, hit := f.bytes.take(int64(size))
	if hit {
		return int(granted), errCut
	}
	return size, nil
}

// row is asked before the n-th row of a result set, counted from 1. It tells
// whether to send it and whether to cut the connection then.
func (f *Faults) row(ctx context.Context, n int64) (send, cut bool) {
	if d := f.rowDelay.Load(); d != nil && n%d.every == 0 {
		pause(ctx, d.pause)
	}
	granted, hit := f.rows.take(1)
	return granted > 0, hit
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
