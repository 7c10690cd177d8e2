// Package replaytest makes traffic of many customers for tests and benchmarks
// of recording and replay. It is in no shipped program.
package replaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"tidemark/internal/wire"
)

// Tables is how many tables each customer has.
const Tables = 4

// schema is that of all tables.
var schema = wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}, {Name: "text", Type: wire.Type{Kind: wire.NVarChar, Len: 100}, Nullable: true}},
	Key: []string{"id"}, Versioning: wire.ByRowVersion}

// A Fleet is customers that write, change and delete rows, and ask.
type Fleet struct {
	URL     string
	Client  *http.Client
	Keys    map[string]string // by customer
	AtOnce  int               // customers at the same time
	Seed    uint64
	Rows    int // of a batch, at most
	Refused atomic.Int64
}

// Run sends so many requests of each table, and fewer of each customer's own.
func (f *Fleet) Run(ctx context.Context, perTable int) error {
	turns := make(chan struct{}, max(f.AtOnce, 1))
	failed := make(chan error, len(f.Keys))
	var wg sync.WaitGroup
	for customer := range f.Keys {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			for i := range Tables {
				t := table{fleet: f, customer: customer, name: fmt.Sprintf("dbo.t%d", i), random: rand.New(rand.NewPCG(f.Seed, uint64(i)))}
				if err := t.run(ctx, perTable); err != nil {
					failed <- fmt.Errorf("%s of %s: %w", t.name, customer, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// A table is one of a customer's, as its writer knows it.
type table struct {
	fleet          *Fleet
	customer, name string
	random         *rand.Rand
	seq, rv        uint64
	versions       map[int]uint64 // row version by key
}

func (t *table) run(ctx context.Context, requests int) error {
	t.versions = map[int]uint64{}
	body, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	if err := t.send(ctx, http.MethodPut, "/tables/"+t.name+"/schema", "application/json", body, nil); err != nil {
		return err
	}
	if err := t.batch(ctx, wire.Load); err != nil {
		return err
	}
	for n := 2; n < requests; n++ {
		switch draw := t.random.IntN(20); {
		case draw < 9:
			err = t.batch(ctx, wire.Delta)
		case draw < 11:
			err = t.batch(ctx, wire.Delete)
		case draw < 15:
			err = t.send(ctx, http.MethodGet, "/versions", "", nil, nil)
		case draw < 17:
			err = t.send(ctx, http.MethodGet, "/tables/"+t.name+"/summary", "", nil, nil)
		case draw < 19:
			err = t.send(ctx, http.MethodGet, "/tables/"+t.name, "", nil, nil)
		default:
			err = t.send(ctx, http.MethodGet, "/policy", "", nil, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batch sends new and changed rows, or deletes some.
func (t *table) batch(ctx context.Context, kind wire.BatchKind) error {
	var lines []byte
	n := 0
	method := http.MethodPost
	if kind == wire.Delete {
		method = http.MethodDelete
		for id, rv := range t.versions {
			if n++; n > 3 {
				n--
				break
			}
			lines = fmt.Appendf(lines, "[\"%d\",%d]\n", rv, id)
			delete(t.versions, id)
		}
	} else {
		seen := map[int]bool{}
		for range 1 + t.random.IntN(t.fleet.Rows) {
			id := t.random.IntN(100_000)
			if seen[id] {
				continue
			}
			seen[id] = true
			t.rv++
			n++
			lines = fmt.Appendf(lines, "[\"%d\",%d,\"text %d\"]\n", t.rv, id, t.random.Uint32())
			t.versions[id] = t.rv
		}
	}
	h := wire.Header{Protocol: wire.Protocol, Kind: kind, Seq: t.seq + 1, ID: fmt.Sprintf("%016x%016x", t.random.Uint64(), t.random.Uint64()),
		Writer: wire.Writer{ID: "writer-of-" + t.customer, Name: "host", Run: "1"}, Epoch: "epoch", Schema: schema.Fingerprint(), Rows: n}
	if kind != wire.Delete {
		h.Columns = []string{"id", "text"}
	}
	if kind == wire.Load || kind == wire.Delta {
		h.Watermark = &t.rv
	}
	h.Start, h.Complete = kind == wire.Load, kind == wire.Load
	body, err := wire.EncodeBody(nil, h, lines)
	if err != nil {
		return err
	}
	var a wire.Answer
	if err := t.send(ctx, method, "/tables/"+t.name+"/rows", wire.ContentType, body, &a); err != nil {
		return err
	}
	t.seq = a.Version.Seq
	return nil
}

// send sends until it is answered. Answers of 404 and 409 are a summary's that
// is not there yet.
func (t *table) send(ctx context.Context, method, path, kind string, body []byte, into any) error {
	for {
		r, err := http.NewRequestWithContext(ctx, method, t.fleet.URL+"/v1/customers/"+t.customer+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+t.fleet.Keys[t.customer])
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		if kind == wire.ContentType {
			r.Header.Set("Content-Encoding", "zstd")
		}
		a, err := t.fleet.Client.Do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		switch {
		case err != nil:
			return err
		case a.StatusCode == http.StatusServiceUnavailable:
			t.fleet.Refused.Add(1)
			continue
		case a.StatusCode == http.StatusNotFound && into == nil, a.StatusCode == http.StatusConflict && into == nil:
			return nil
		case a.StatusCode != http.StatusOK:
			return fmt.Errorf("%s %s: %s: %s", method, path, a.Status, text)
		case into != nil:
			return json.Unmarshal(text, into)
		}
		return nil
	}
}
