package tds_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// rows answers with n rows of seven small columns, encoded beforehand.
func rows(n int) batchFunc {
	cols := []tds.Column{
		{Name: "id", Type: tds.Type{Kind: tds.Int}},
		{Name: "name", Type: tds.Type{Kind: tds.NVarChar, Len: 100}},
		{Name: "price", Type: tds.Type{Kind: tds.Decimal, Prec: 18, Scale: 4}},
		{Name: "at", Type: tds.Type{Kind: tds.DateTime2, Scale: 7}},
		{Name: "ok", Type: tds.Type{Kind: tds.Bit}},
		{Name: "guid", Type: tds.Type{Kind: tds.UniqueIdentifier}},
		{Name: "rv", Type: tds.Type{Kind: tds.RowVersion}},
	}
	var row [][]byte
	for i, v := range []any{int64(1), "a name", "12.3456", day(2024, 1, 1), true, [16]byte{1}, make([]byte, 8)} {
		row = append(row, value(cols[i].Type, v))
	}
	return func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		if err := w.Columns(cols); err != nil {
			return err
		}
		for range n {
			if err := w.Row(row); err != nil {
				return err
			}
		}
		return w.Done(uint64(n), true)
	}
}

const million = 1_000_000

// A sink is a connection whose client says what it is given and reads at once.
type sink struct {
	say    []byte
	more   chan []byte
	done   chan struct{} // a response has ended
	closed chan struct{}
}

func (s *sink) Read(b []byte) (int, error) {
	for len(s.say) == 0 {
		select {
		case s.say = <-s.more:
		case <-s.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, s.say)
	s.say = s.say[n:]
	return n, nil
}

func (s *sink) Write(b []byte) (int, error) {
	if b[1]&1 != 0 {
		s.done <- struct{}{}
	}
	return len(b), nil
}

func (s *sink) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func (s *sink) LocalAddr() net.Addr              { return nil }
func (s *sink) RemoteAddr() net.Addr             { return nil }
func (s *sink) SetDeadline(time.Time) error      { return nil }
func (s *sink) SetReadDeadline(time.Time) error  { return nil }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkServer is what the server alone needs for a million rows.
func BenchmarkServer(b *testing.B) {
	h := &anyone{}
	h.batch = rows(million)
	s := plainServer(b, h, nil)
	c := &sink{more: make(chan []byte), done: make(chan struct{}), closed: make(chan struct{})}
	s.ServeConn(c)
	for _, packet := range []string{examplePrelogin, exampleLogin} {
		c.more <- bin(packet)
		<-c.done
	}
	b.ReportAllocs()
	for b.Loop() {
		c.more <- bin(exampleBatch)
		<-c.done
	}
	b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkDrain is what the driver makes of them over the loopback interface.
func BenchmarkDrain(b *testing.B) {
	f := serve(b, tds.Options{}, rows(million))
	db := f.open(b, login+"packet size=16384")
	for b.Loop() {
		if n, err := count(context.Background(), db, "select n"); n != million || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// A row costs the server no allocation.
func TestRowsDoNotAllocate(t *testing.T) {
	h := &anyone{}
	h.batch = func(ctx context.Context, sql string, p []tds.Param, w tds.Writer) error {
		const n = 10_000
		several := rows(n)
		var err error
		if perRow := testing.AllocsPerRun(5, func() { err = errors.Join(err, several(ctx, sql, p, w)) }) / n; perRow > 0.01 {
			t.Errorf("%v allocations for each row", perRow)
		}
		return err
	}
	c := &sink{more: make(chan []byte), done: make(chan struct{}), closed: make(chan struct{})}
	plainServer(t, h, nil).ServeConn(c)
	for _, packet := range []string{examplePrelogin, exampleLogin, exampleBatch} {
		c.more <- bin(packet)
		<-c.done
	}
}
