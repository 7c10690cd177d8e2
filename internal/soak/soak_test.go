//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A day is what the cloud holds and what the writers tell, look by look.
type day struct {
	cloud []string
	page  page
}

func TestGuardTellsWrongDeletesFromRightOnes(t *testing.T) {
	gone := func(keys ...string) (all []deletion) {
		for _, k := range keys {
			all = append(all, deletion{"orders", k})
		}
		return all
	}
	for _, c := range []struct {
		name string
		days []day
		want int
	}{
		{"nothing goes", []day{{cloud: []string{"1", "2"}}, {cloud: []string{"1", "2"}}}, 0},
		{"a delete arrives", []day{{cloud: []string{"1", "2"}}, {cloud: []string{"1"}, page: page{Deleted: gone("2")}}}, 0},
		{"a delete arrives late", []day{{cloud: []string{"1"}, page: page{Deleted: gone("1")}}, {cloud: nil}}, 0},
		{"nobody deleted it", []day{{cloud: []string{"1", "2"}}, {cloud: []string{"1"}}}, 1},
		{"another was deleted", []day{{cloud: []string{"1", "2"}}, {cloud: []string{"1"}, page: page{Deleted: gone("1")}}}, 1},
		{"another table's was", []day{{cloud: []string{"1", "2"}}, {cloud: []string{"1"}, page: page{Deleted: []deletion{{"stock", "2"}}}}}, 1},
		{"it was put back", []day{{cloud: []string{"1"}}, {cloud: nil}, {cloud: []string{"1"}}}, 1},
		{"the transaction commits", []day{{cloud: []string{"1"}}, {page: page{Pending: gone("1")}}, {page: page{Deleted: gone("1")}}}, 0},
		{"the transaction is rolled back", []day{{cloud: []string{"1"}}, {page: page{Pending: gone("1")}}, {}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var now day
			g := newGuard(func(context.Context, table) (map[string]string, error) {
				rows := map[string]string{}
				for _, k := range now.cloud {
					rows[k] = k
				}
				return rows, nil
			}, func() (page, error) { return now.page, nil }, tables)
			for _, now = range c.days {
				if err := g.look(t.Context(), tableNamed("orders")); err != nil {
					t.Fatal(err)
				}
			}
			if got := g.found(); len(got) != c.want {
				t.Errorf("found %q, not %d", got, c.want)
			}
		})
	}
}

func TestLedgerForgetsWhatWasRolledBack(t *testing.T) {
	l := newLedger()
	d := []deletion{{"orders", "1"}}
	l.expect("orders", "1")
	if diff := cmp.Diff(page{Pending: d}, l.take()); diff != "" {
		t.Error("while it is open:", diff)
	}
	l.settle(d, false, counts{Deleted: 1})
	if diff := cmp.Diff(page{Count: counts{RolledBack: 1}}, l.take()); diff != "" {
		t.Error("rolled back:", diff)
	}
	l.expect("orders", "1")
	l.settle(d, true, counts{Deleted: 1})
	if diff := cmp.Diff(page{Deleted: d, Count: counts{RolledBack: 1, Deleted: 1, Transactions: 1}}, l.take()); diff != "" {
		t.Error("committed:", diff)
	}
}

func TestDifferencesOfBothSides(t *testing.T) {
	here := map[string]string{"1": "1 a 7", "2": "2 b 8", "3": "3 c 9"}
	there := map[string]string{"1": "1 a 7", "2": "2 x 8", "4": "4 d 9"}
	want := []string{"2 is (2 b 8) at the source, (2 x 8) in the cloud", "3 is not in the cloud", "4 is in the cloud only"}
	if diff := cmp.Diff(want, differences(here, there)); diff != "" {
		t.Error(diff)
	}
	if told := differences(here, here); told != nil {
		t.Error(told)
	}
}

// answerOf asks a server that says size bytes to everybody, through a proxy.
func answerOf(t *testing.T, size int, bad weather) (read int64, p *proxy, err error) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write(make([]byte, size)) // the proxy may have ended it
			_ = c.Close()
		}
	}()
	if p, err = startProxy(t.Context(), "127.0.0.1:0", l.Addr().String(), 1); err != nil {
		t.Fatal(err)
	}
	p.set(bad)
	// A reset can come before the dialer knows that it is connected.
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.addr())
	if err == nil {
		read, err = io.Copy(io.Discard, c)
		_ = c.Close() // after a reset there is nothing to say
	}
	for _, end := range []func() error{p.close, l.Close} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	<-served
	return read, p, err
}

func TestProxyCarriesAndResets(t *testing.T) {
	const size = 50 * chunk
	if n, _, err := answerOf(t, size, weather{}); n != size || err != nil {
		t.Errorf("in fine weather %d of %d bytes, %v", n, size, err)
	}
	n, p, err := answerOf(t, size, weather{reset: 1})
	if n >= size {
		t.Errorf("all bytes came through (%v)", err)
	}
	if requests, answers, others := p.resets(); answers != 1 {
		t.Error("resets:", fmt.Sprint(requests, answers, others))
	}
	if n, p, err := answerOf(t, size, weather{refusing: true}); n != 0 || err == nil || p.refused != 1 {
		t.Errorf("refusing, %d bytes came through, %v", n, err)
	}
}
