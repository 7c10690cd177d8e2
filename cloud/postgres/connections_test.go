package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/fault"
	"tidemark/internal/pgtest"
)

// cluster is a database with a limit of connections that instances share, each
// as a user of its own.
type cluster struct {
	t     *testing.T
	dsn   string
	admin *pgx.Conn
	logs  *observer.ObservedLogs
	o     postgres.Options
}

func newCluster(t *testing.T, limit, reserve int) *cluster {
	t.Helper()
	core, logs := observer.New(zapcore.WarnLevel)
	c := &cluster{t: t, dsn: pgtest.Start(t), logs: logs, o: postgres.Options{Connections: limit, Reserve: reserve, Logger: zap.New(core),
		Rebalance: 50 * time.Millisecond, Patience: 2 * time.Minute}}
	c.admin = c.connect()
	exec(t, c.admin, "CREATE ROLE owner")
	exec(t, c.admin, "GRANT CREATE, TEMPORARY ON DATABASE "+c.admin.Config().Database+" TO owner")
	exec(t, c.admin, fmt.Sprintf("ALTER DATABASE %s CONNECTION LIMIT %d", c.admin.Config().Database, limit))
	t.Cleanup(func() { // more sessions than the limit were never tried
		for _, e := range logs.FilterMessageSnippet("no connection left").All() {
			t.Errorf("%s: %v", e.Message, e.ContextMap())
		}
	})
	t.Cleanup(func() { // in the server, users belong to all databases
		ctx := context.WithoutCancel(t.Context())
		for _, sql := range []string{"DROP OWNED BY owner", "DROP ROLE owner"} {
			if _, err := c.admin.Exec(ctx, sql); err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

func (c *cluster) connect() *pgx.Conn {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.dsn)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// user makes a user and returns the URL for it.
func (c *cluster) user(name string) string {
	c.t.Helper()
	exec(c.t, c.admin, "CREATE ROLE "+name+" LOGIN IN ROLE owner")
	exec(c.t, c.admin, "ALTER ROLE "+name+" SET role = 'owner'")
	c.t.Cleanup(func() {
		if _, err := c.admin.Exec(context.WithoutCancel(c.t.Context()), "DROP ROLE "+name); err != nil {
			c.t.Error(err)
		}
	})
	return strings.Replace(c.dsn, "tidemark@", name+"@", 1)
}

func (c *cluster) open(dsn string) *postgres.Store {
	c.t.Helper()
	s, err := postgres.Open(c.t.Context(), dsn, c.o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { s.Close() })
	return s
}

// eventually waits for a condition, for minutes.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after minutes: %s", what)
		}
	}
}

// share waits until each of the stores has so many connections.
func share(t *testing.T, n int, stores ...*postgres.Store) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d connections each for %d instances", n, len(stores)), func() bool {
		for _, s := range stores {
			if s.Connections() != n {
				return false
			}
		}
		return true
	})
}

// sessions is how many there are of the instances.
const sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tidemark-cloud' AND datname = current_database()"

func (c *cluster) count(sql string) (n int) {
	c.t.Helper()
	if err := c.admin.QueryRow(c.t.Context(), sql).Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// work asks a store for more than it has connections for until what it returns
// is called. Errors are those of a store that is whole.
func work(t *testing.T, s *postgres.Store, whole *atomic.Bool) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Table(ctx, "acme", "t"); err != nil && ctx.Err() == nil && whole.Load() {
					t.Errorf("an instance in work: %v", err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// Instances share the connections whichever come, die and return, and never
// take more than there are.
func TestInstancesShareConnections(t *testing.T) {
	const limit, reserve = 40, 19 // 21 slots, of which newcomers find 3
	c := newCluster(t, limit, reserve)
	var always, two atomic.Bool
	always.Store(true)
	two.Store(true)

	first := c.open(c.user("one"))
	newSite(t, first, "acme", "t", "id int")
	defer work(t, first, &always)()
	share(t, 18, first)
	dsn := c.user("two")
	second := c.open(dsn)
	defer work(t, second, &two)()
	third := c.open(c.user("three"))
	endThird := work(t, third, &always)
	defer endThird()
	share(t, 6, first, second, third)
	eventually(t, "no more sessions than slots", func() bool { return c.count(sessions) <= limit-reserve })

	// An instance whose sessions end, and that cannot come back.
	two.Store(false)
	exec(t, c.admin, "ALTER ROLE two NOLOGIN")
	eventually(t, "its sessions have ended", func() bool {
		return c.count("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'two'") == 0
	})
	share(t, 9, first, third)
	if err := second.Ready(t.Context()); err == nil {
		t.Error("an instance that reaches nothing is ready")
	}
	exec(t, c.admin, "ALTER ROLE two LOGIN")
	eventually(t, "it is ready again", func() bool { return second.Ready(t.Context()) == nil })
	share(t, 6, first, second, third)

	// One that ends gives its share back.
	endThird()
	if err := third.Close(); err != nil {
		t.Error(err)
	}
	share(t, 9, first, second)
}

// Without a slot an instance does not start, and says why; one that is started
// by then goes on with what it has.
func TestMoreInstancesThanSlots(t *testing.T) {
	c := newCluster(t, 20, 18)
	dsn := c.user("one")
	first, second := c.open(dsn), c.open(dsn)
	share(t, 1, first, second)
	c.o.Patience = 10 * time.Millisecond
	s, err := postgres.Open(t.Context(), dsn, c.o)
	if err == nil {
		s.Close()
		t.Fatal("a third of two started")
	}
	if !errors.Is(err, cloud.ErrUnavailable) || !strings.Contains(err.Error(), "none of its connections is left") || fault.Hint(err) == "" {
		t.Errorf("%v (%s)", err, fault.Hint(err))
	}
	eventually(t, "it is ready all the same", func() bool { return first.Ready(t.Context()) == nil })
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	c.o.Patience = 2 * time.Minute
	c.open(dsn)
}

// Others that take what the instances are left are no secret: the log says so,
// and a number does.
func TestOthersTakeTheConnections(t *testing.T) {
	c := newCluster(t, 8, -1)
	core, logs := observer.New(zapcore.WarnLevel)
	c.o.Logger, c.o.Patience = zap.New(core), 10*time.Millisecond
	s := c.open(c.user("one"))
	if n := s.Refused(); n != 0 {
		t.Errorf("refused %d times before anybody else was there", n)
	}
	others := c.user("two")
	for {
		conn, err := pgx.Connect(t.Context(), others)
		if err != nil {
			break
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
	}
	defer work(t, s, new(atomic.Bool))()
	eventually(t, "it is refused, and says so", func() bool {
		return s.Refused() > 0 && logs.FilterMessageSnippet("no connection left").Len() > 0
	})
}

// What reads a replica has its share, too, when that is the same server; a
// command takes of what is free.
func TestWhoIsCounted(t *testing.T) {
	c := newCluster(t, 24, -1) // 24 slots, of which newcomers find 3
	dsn := c.user("one")
	s := c.open(dsn)
	share(t, 21, s)
	r, err := postgres.OpenReplica(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	share(t, 10, s)
	c.o.Passing, c.o.Connections = true, 2
	p := c.open(dsn)
	if n := p.Connections(); n != 2 {
		t.Errorf("a command has %d connections", n)
	}
	held := func(class string) int {
		return c.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = x'" + class + "'::int AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	}
	eventually(t, "a slot for each session, and all but the command's counted as an instance's", func() bool {
		n := c.count(sessions)
		its := n - held("746d69")
		return held("746d63") == n && (its == 1 || its == 2)
	})
}
