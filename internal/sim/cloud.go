package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/wire"
)

const (
	customer = "acme"
	key      = "tmk_acme_simulated"
)

// A cloudSide is the API's server with its store.
type cloudSide struct {
	w      *world
	path   string
	store  *sqlite.Store
	stop   func()
	ended  chan struct{} // closed when the last server has ended and its store is closed
	up     bool
	runs   int
	offset time.Duration
	kept   map[string][]byte // the store's files, as an operator's backup

	turn chan struct{} // held while a batch is applied

	killAt  Step // armed, unless Do is ""
	refusal Step

	tables map[string]copied // as last committed
}

// A copied is the cloud's copy of a table.
type copied struct {
	version wire.Version
	rows    rows
	born    int // the source's incarnation in which the epoch began
}

func newCloud(w *world, dir string) *cloudSide {
	c := &cloudSide{w: w, path: filepath.Join(dir, "cloud.db"), turn: make(chan struct{}, 1), tables: map[string]copied{}}
	w.net.add("cloud", time.Millisecond, 20*time.Millisecond, nil)
	return c
}

func (c *cloudSide) now() time.Time { return time.Now().Add(c.offset) }

func (c *cloudSide) start() {
	s, err := sqlite.Open(context.Background(), c.path)
	if err != nil {
		c.w.fail("the cloud's store does not open: %v", err)
		return
	}
	ctx := context.Background()
	if c.runs == 0 {
		err := s.AddCustomer(ctx, cloud.Customer{ID: customer, Created: c.now()}, cloud.Key{Hash: sha256.Sum256([]byte(key)), Created: c.now()})
		if err != nil && !errors.Is(err, cloud.ErrExists) {
			c.w.fail("sim: add the customer: %v", err)
		}
	}
	c.runs++
	c.store, c.up = s, true
	c.lookAll()
	l := newListener()
	ctx, cancel := context.WithCancel(ctx)
	c.stop, c.ended = cancel, make(chan struct{})
	server := cloud.New(cloud.Config{Store: &watchedStore{s, c, c.runs}, Now: c.now, Rand: c.w.random})
	ended := c.ended
	c.w.go_(func() {
		defer close(ended)
		if err := server.Serve(ctx, l, nil); err != nil {
			c.w.say("cloud", "serve: %v", err)
		}
		if err := s.Close(); err != nil {
			c.w.say("cloud", "close: %v", err)
		}
	})
	c.w.net.mu.Lock()
	c.w.net.hosts["cloud"].accept = l.hand
	c.w.net.mu.Unlock()
	c.w.net.set("cloud", false)
	c.w.say("cloud", "starts")
}

// lookAll reads what is there after a start.
func (c *cloudSide) lookAll() {
	before := c.tables
	c.tables = map[string]copied{}
	for _, name := range c.w.plan.Setup.Tables {
		t, err := c.read(name)
		if err != nil {
			continue
		}
		t.born = c.w.source.incarnation - 1 // not known: what is asked of an epoch waits for the next
		if b := before[name]; b.version.Epoch == t.version.Epoch {
			t.born = b.born
		}
		c.tables[name] = t
	}
}

func (c *cloudSide) files() map[string][]byte {
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal"} {
		if b, err := os.ReadFile(c.path + suffix); err == nil {
			files[suffix] = b
		}
	}
	return files
}

func (c *cloudSide) put(files map[string][]byte) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(c.path + suffix)
	}
	for suffix, b := range files {
		if err := os.WriteFile(c.path+suffix, b, 0o600); err != nil {
			c.w.fail("sim: %v", err)
		}
	}
}

// kill ends the server as a power cut does; by the surgeon alone. Files is
// what the next one finds, nil for what is there now.
func (c *cloudSide) kill(files map[string][]byte, down time.Duration) {
	if !c.up {
		return
	}
	if files == nil {
		files = c.files()
	}
	c.up = false
	c.w.net.set("cloud", true)
	c.stop()
	ended := c.ended
	c.w.owing.Add(1)
	c.w.go_(func() {
		defer c.w.owing.Add(-1)
		<-ended
		c.put(files)
		time.Sleep(down)
		if !c.w.over {
			c.start()
		}
	})
}

func (c *cloudSide) read(name string) (copied, error) {
	ctx := context.Background()
	t, err := c.store.Table(ctx, customer, name)
	if err != nil {
		return copied{}, err
	}
	k := kindOf(name)
	all := rows{}
	err = c.store.Rows(ctx, customer, name, func(r cloud.Row) error {
		fields := map[string]string{}
		for i, col := range t.Schema.Columns {
			fields[col.Name] = plain(r.Values[i])
		}
		key, text := describe(k, fields)
		all[key] = row{version: r.Version, text: text}
		return nil
	})
	return copied{version: t.Version, rows: all}, err
}

// A watchedStore is the store as one server has it: it crashes where the plan
// says, and everything that was committed is looked at.
type watchedStore struct {
	cloud.Store
	c   *cloudSide
	run int
}

// enter is passed before a batch; the error is what the plan says.
func (s *watchedStore) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-s.c.turn }
	if s.c.runs != s.run || !s.c.up {
		leave()
		return nil, cloud.ErrUnavailable
	}
	if s.hit("before") || s.refuse("before") {
		leave()
		return nil, cloud.ErrUnavailable
	}
	return leave, nil
}

// hit kills the server here when the plan says so.
func (s *watchedStore) hit(point string) bool {
	k := &s.c.killAt
	if k.Do == "" || k.Kind != point || s.c.runs != s.run {
		return false
	}
	if k.N--; k.N >= 0 {
		return false
	}
	down := time.Duration(k.For)
	*k = Step{}
	s.c.w.fault("cloud killed " + point + " a commit")
	s.c.w.say("cloud", "is killed %s a commit, for %s", point, down)
	s.c.w.operate(func() { s.c.kill(nil, down) })
	return true
}

func (s *watchedStore) refuse(point string) bool {
	r := &s.c.refusal
	if r.Do == "" || r.Kind != point || r.N <= 0 {
		return false
	}
	r.N--
	s.c.w.fault("store not available " + point + " a commit")
	return true
}

func (s *watchedStore) Apply(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.batch(ctx, b, s.Store.Apply)
}

func (s *watchedStore) Delete(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.batch(ctx, b, s.Store.Delete)
}

func (s *watchedStore) batch(ctx context.Context, b cloud.Batch, apply func(context.Context, cloud.Batch) (wire.Answer, error)) (wire.Answer, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return wire.Answer{}, err
	}
	defer leave()
	b.Rows = &fatalRows{b.Rows, s}
	a, err := apply(ctx, b)
	if s.c.runs != s.run || !s.c.up {
		return a, cloud.ErrUnavailable
	}
	if err != nil {
		s.c.w.say("cloud", "%s %s %d refused: %v", b.Table, b.Header.Kind, b.Header.Seq, err)
		return a, err
	}
	s.c.committed(b.Table, &b.Header, a)
	if s.hit("after") || s.refuse("after") {
		return wire.Answer{}, cloud.ErrUnavailable
	}
	return a, nil
}

func (s *watchedStore) Drop(ctx context.Context, cust, table string, d cloud.Drop) (wire.Answer, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return wire.Answer{}, err
	}
	defer leave()
	a, err := s.Store.Drop(ctx, cust, table, d)
	if err == nil {
		s.c.committed(table, nil, a)
	}
	return a, err
}

func (s *watchedStore) Register(ctx context.Context, cust, table string, schema wire.Schema) (wire.Table, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return wire.Table{}, err
	}
	defer leave()
	t, err := s.Store.Register(ctx, cust, table, schema)
	if err == nil {
		s.c.w.say("cloud", "%s has columns %s", table, t.Version.Schema)
		s.c.committed(table, nil, wire.Answer{Version: t.Version})
	}
	return t, err
}

// fatalRows kills the server in the middle of a transaction.
type fatalRows struct {
	cloud.RowSource
	s *watchedStore
}

func (r *fatalRows) Next() (cloud.Row, error) {
	row, err := r.RowSource.Next()
	if err != nil && r.s.hit("mid") {
		return row, fmt.Errorf("%w: killed", cloud.ErrUnavailable)
	}
	return row, err
}

// committed looks at a table after a commit.
func (c *cloudSide) committed(name string, h *wire.Header, a wire.Answer) {
	c.w.commits++
	before := c.tables[name]
	after, err := c.read(name)
	if err != nil {
		c.w.fail("sim: read the cloud: %v", err)
		return
	}
	after.born = before.born
	if after.version.Epoch != before.version.Epoch {
		after.born = c.w.source.incarnation
	}
	if h != nil {
		c.w.say("cloud", "%s %s %d of %d rows: +%d ~%d =%d -%d guarded %d refused %d%s, now %d rows to %d in %s",
			name, h.Kind, h.Seq, h.Rows, a.Inserted, a.Updated, a.Unchanged, a.Deleted, a.Guarded, len(a.Refused),
			map[bool]string{true: " (again)"}[a.Replayed], len(after.rows), after.version.Watermark, after.version.Epoch)
		c.w.checkBatch(name, before, after, *h, a)
	}
	c.tables[name] = after
	c.w.checkSummary(name)
	c.w.cloudLags()
	c.w.held.release(name, after.version.Seq)
}
