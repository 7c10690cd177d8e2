package sim

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

// A kind is a table that a site may have. The columns behind the key are
// v and n, and x where it was added.
type kind struct {
	name    string
	create  string
	key     []string
	content bool // no row version
	keyOf   func(draw) string
}

var kinds = []kind{
	{name: "orders", key: []string{"id"},
		create: "CREATE TABLE dbo.orders (id int NOT NULL PRIMARY KEY, v nvarchar(40) NULL, n int NULL, rv rowversion NOT NULL)",
		keyOf:  func(d draw) string { return fmt.Sprint(d.between(1, 40)) }},
	{name: "lines", key: []string{"a", "b"},
		create: "CREATE TABLE dbo.lines (a int NOT NULL, b int NOT NULL, v nvarchar(40) NULL, n int NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b)); CREATE INDEX ix ON dbo.lines (rv)",
		keyOf:  func(d draw) string { return fmt.Sprintf("%d, %d", d.between(1, 7), d.between(1, 7)) }},
	{name: "parts", key: []string{"code"},
		create: "CREATE TABLE dbo.parts (code varchar(20) COLLATE Latin1_General_CI_AS NOT NULL PRIMARY KEY, v nvarchar(40) NULL, n int NULL, rv rowversion NOT NULL)",
		keyOf: func(d draw) string {
			return "'" + d.of("a", "A") + d.of("b", "B", "c") + d.of("1", "2", "3", "4", "5") + d.of("", "", " ") + "'"
		}},
	{name: "notes", key: []string{"id"}, content: true,
		create: "CREATE TABLE dbo.notes (id int NOT NULL PRIMARY KEY, v nvarchar(40) NULL, n int NULL)",
		keyOf:  func(d draw) string { return fmt.Sprint(d.between(1, 40)) }},
}

func kindNames() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func kindOf(name string) kind {
	return kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })]
}

// A row is one row of either side.
type row struct {
	version uint64
	text    string // all columns but the row version, by name
	bad     bool   // the cloud must refuse it
}

// rows are those of a table by key.
type rows map[string]row

// A stamp names a row in one version.
type stamp struct {
	table, key string
	version    uint64
}

// A source is the site's SQL Server, and what is known of it without asking
// the code under test.
type source struct {
	w      *world
	server *mssqltest.Server
	db     *mssqltest.DB
	tables map[string]rows // committed; nil where the table is not there
	absent map[stamp]time.Time
	open   map[int]*mssqltest.Tx
	backup *engine.Backup
	// incarnation counts restores.
	incarnation int
	told        int    // the incarnation of the last restore that the login can see for itself
	servers     int    // that it was moved to
	meddling    []Step // writes that wait for a comparison to be under way
	questions
}

func newSource(w *world) (*source, error) {
	s := w.plan.Setup
	server, err := mssqltest.Start(mssqltest.Options{InMemory: true, KeepStatements: 1,
		TDS: tds.Options{Encryption: tds.EncryptionUnavailable},
		DB: engine.DatabaseOptions{AllowSnapshot: true, ReadCommittedSnapshot: s.Committed, NoRowCounts: s.NoRowCounts,
			EqualRowVersions: engine.EqualRowVersions(s.Equal)}})
	if err != nil {
		return nil, err
	}
	server.AddLogin(&engine.Login{Name: "tidemark", Password: "secret", SelectAll: true, ViewDefinition: true, ViewState: !s.NoViewState})
	src := &source{w: w, server: server, db: server.DB(), tables: map[string]rows{}, absent: map[stamp]time.Time{}, open: map[int]*mssqltest.Tx{}, questions: newQuestions()}
	w.net.add("source", 50*time.Microsecond, 400*time.Microsecond, func(c net.Conn) { server.TLS().ServeConn(c) })
	for _, name := range s.Tables {
		if err := src.db.Exec(context.Background(), kindOf(name).create); err != nil {
			return nil, err
		}
	}
	src.watch()
	return src, nil
}

// do runs a batch; what it may not do at this time it leaves.
func (s *source) do(batch string) error {
	err := s.db.Exec(context.Background(), "SET LOCK_TIMEOUT 1000; "+batch)
	if err != nil {
		s.w.say("source", "%s: %v", batch, err)
	} else {
		s.w.say("source", "%s", batch)
	}
	s.look()
	return err
}

// look reads what is committed, and holds the cloud against it.
func (s *source) look() {
	now := time.Now()
	for _, name := range s.w.plan.Setup.Tables {
		before, after := s.tables[name], s.read(name)
		for key, r := range before {
			if a, ok := after[key]; !ok || a.version != r.version {
				s.absent[stamp{name, key, r.version}] = now
			}
		}
		for key := range after {
			if _, ok := before[key]; !ok {
				s.came[stamp{table: name, key: key}] = now
			}
		}
		s.tables[name] = after
	}
	s.w.cloudLags()
}

// read reads a table at one committed moment, nil when it is not there.
func (s *source) read(name string) rows {
	ctx := context.Background()
	k := kindOf(name)
	tx, err := s.db.Begin(ctx, tds.Snapshot)
	if err != nil {
		s.w.fail("sim: read the source: %v", err)
		return nil
	}
	defer func() { _ = tx.Rollback(ctx) }()
	cols, err := tx.Query(ctx, "SELECT c.name FROM sys.columns AS c WHERE c.object_id = OBJECT_ID('dbo."+name+"') ORDER BY c.name")
	if err != nil || len(cols) == 0 {
		return nil
	}
	var names []string
	for _, c := range cols {
		if n := c[0].(string); n == "rv" {
			names = append(names, "CONVERT(binary(8), rv)")
		} else {
			names = append(names, n)
		}
	}
	got, err := tx.Query(ctx, "SELECT "+strings.Join(names, ", ")+" FROM dbo."+name)
	if err != nil {
		s.w.fail("sim: read %s: %v", name, err)
		return nil
	}
	all := rows{}
	for _, values := range got {
		var r row
		fields := map[string]string{}
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				r.version = binary.BigEndian.Uint64(v)
			case nil:
				fields[names[i]] = "null"
			default:
				fields[names[i]] = fmt.Sprint(v)
			}
		}
		key := ""
		key, r.text = describe(k, fields)
		r.bad = strings.ContainsRune(r.text, 0)
		all[key] = r
	}
	return all
}

// describe gives key and text of a row.
func describe(k kind, fields map[string]string) (key, text string) {
	for i, name := range k.key {
		if i > 0 {
			key += ","
		}
		key += fields[name]
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text += fmt.Sprintf("%s=%s ", name, fields[name])
	}
	return key, text
}

// write changes some rows of a table.
func (s *source) write(st Step) {
	d := newDraw(st.Seed, 3)
	for range st.N {
		// One at a time: while the second waits for a lock, the first is done.
		for _, statement := range s.statements(kindOf(st.Table), d) {
			_ = s.do(statement)
		}
	}
}

// statements are one, or a row that goes and another that comes.
func (s *source) statements(k kind, d draw) []string {
	cols, key := strings.Join(k.key, ", "), k.keyOf(d)
	where := s.where(k, key)
	insert := func(key string) string {
		return fmt.Sprintf("INSERT INTO dbo.%s (%s, v, n) VALUES (%s, N'%s', %d)", k.name, cols, key, word(d), d.between(0, 999))
	}
	n := d.IntN(10)
	switch {
	case n < 4:
		return []string{insert(key)}
	case n < 6:
		return []string{fmt.Sprintf("UPDATE dbo.%s SET n = %d WHERE %s", k.name, d.between(0, 999), where)}
	case n < 7:
		return []string{fmt.Sprintf("UPDATE dbo.%s SET v = N'%s' WHERE n %% %d = 0", k.name, word(d), d.between(1, 5))}
	}
	gone := fmt.Sprintf("DELETE FROM dbo.%s WHERE %s", k.name, where)
	if n < 9 {
		return []string{gone}
	}
	return []string{gone, insert(k.keyOf(d))}
}

func word(d draw) string { return d.of("ebb", "flood", "neap", "spring", "slack", "é☃") }

func (s *source) where(k kind, key string) string {
	var parts []string
	for i, v := range strings.Split(key, ", ") {
		parts = append(parts, k.key[i]+" = "+v)
	}
	return strings.Join(parts, " AND ")
}

// insertMany inserts rows with one statement: they share a row version where
// the server gives one to all of a statement.
func (s *source) insertMany(st Step) {
	d, k := newDraw(st.Seed, 3), kindOf(st.Table)
	seen := map[string]bool{}
	var lines []string
	for range st.N {
		key := k.keyOf(d)
		if id := strings.ToLower(strings.TrimRight(strings.Trim(key, "'"), " ")); !seen[id] {
			seen[id] = true
			lines = append(lines, fmt.Sprintf("(%s, N'%s', %d)", key, word(d), d.between(0, 999)))
		}
	}
	cols := strings.Join(k.key, ", ")
	if s.tables[st.Table] != nil && d.chance(0.6) { // make room
		var parts []string
		for key := range seen {
			parts = append(parts, "("+s.where(k, quoted(k, key))+")")
		}
		slices.Sort(parts)
		_ = s.do("DELETE FROM dbo." + k.name + " WHERE " + strings.Join(parts, " OR "))
	}
	_ = s.do(fmt.Sprintf("INSERT INTO dbo.%s (%s, v, n) VALUES %s", k.name, cols, strings.Join(lines, ", ")))
}

func quoted(k kind, key string) string {
	if k.name == "parts" {
		return "'" + key + "'"
	}
	return key
}

// rekey changes keys in case and padding, which its collation does not see.
func (s *source) rekey(st Step) {
	d, k := newDraw(st.Seed, 3), kindOf(st.Table)
	key := k.keyOf(d)
	if k.name == "parts" {
		s.w.fault("key changed in case or padding")
		_ = s.do(fmt.Sprintf("UPDATE dbo.parts SET code = %s WHERE code = %s", key, key))
		return
	}
	s.w.fault("key changed")
	_ = s.do(fmt.Sprintf("UPDATE dbo.%s SET %s = %s + 100 WHERE %s", k.name, k.key[0], k.key[0], s.where(k, key)))
}

func (s *source) begin(st Step) {
	ctx := context.Background()
	tx, err := s.db.Begin(ctx, tds.ReadCommitted)
	if err != nil {
		s.w.say("source", "begin: %v", err)
		return
	}
	d := newDraw(st.Seed, 3)
	for range d.between(1, 4) {
		text := "SET LOCK_TIMEOUT 1000; " + strings.Join(s.statements(kindOf(st.Table), d), "; ")
		if err := tx.Exec(ctx, text); err != nil {
			s.w.say("source", "transaction %d: %s: %v", st.N, text, err)
		} else {
			s.w.say("source", "transaction %d: %s", st.N, text)
		}
	}
	if old := s.open[st.N]; old != nil {
		_ = old.Rollback(ctx)
	}
	s.open[st.N] = tx
	s.w.fault("open transaction")
}

func (s *source) end(id int, commit bool) {
	tx := s.open[id]
	if tx == nil {
		return
	}
	delete(s.open, id)
	err := error(nil)
	if commit {
		err = tx.Commit(context.Background())
	} else {
		err = tx.Rollback(context.Background())
	}
	s.w.say("source", "transaction %d ends, commit %v: %v", id, commit, cmp.Or(err, error(nil)))
	s.look()
}

func (s *source) endAll() {
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		s.end(id, true)
	}
}

func (s *source) bad(st Step) {
	d, k := newDraw(st.Seed, 3), kindOf(st.Table)
	for range st.N {
		if d.chance(0.5) {
			_ = s.do(fmt.Sprintf("UPDATE dbo.%s SET v = N'x' + NCHAR(0) WHERE %s", k.name, s.where(k, k.keyOf(d))))
		} else {
			_ = s.do(fmt.Sprintf("INSERT INTO dbo.%s (%s, v, n) VALUES (%s, N'x' + NCHAR(0), 1)", k.name, strings.Join(k.key, ", "), k.keyOf(d)))
		}
	}
	s.w.fault("row that the cloud refuses")
}

func (s *source) mend(table string) {
	_ = s.do("UPDATE dbo." + table + " SET v = N'mended' WHERE v = N'x' + NCHAR(0)")
}

func (s *source) alter(st Step) {
	k := kindOf(st.Table)
	s.w.fault("schema: " + st.Do)
	switch st.Do {
	case "add column":
		_ = s.do("ALTER TABLE dbo." + k.name + " ADD x int NULL")
		_ = s.do("UPDATE dbo." + k.name + " SET x = n WHERE n % 2 = 0")
	case "drop column":
		_ = s.do("ALTER TABLE dbo." + k.name + " DROP COLUMN n")
		s.w.later(st.For, func() {
			_ = s.do("ALTER TABLE dbo." + k.name + " ADD n int NULL")
		})
	case "type":
		_ = s.do("ALTER TABLE dbo." + k.name + " ALTER COLUMN v nvarchar(80) NULL")
	case "truncate":
		_ = s.do("TRUNCATE TABLE dbo." + k.name)
	case "recreate":
		_ = s.do("DROP TABLE dbo." + k.name)
		_ = s.do(k.create)
		s.insertMany(Step{Table: st.Table, N: 6, Seed: st.Seed})
	case "rename away":
		_ = s.do("EXEC sp_rename 'dbo." + k.name + "', 'away'")
		s.w.later(st.For, func() { _ = s.do("EXEC sp_rename 'dbo.away', '" + k.name + "'") })
	}
}

func (s *source) restore(hidden bool) {
	if s.backup == nil {
		return
	}
	ctx := context.Background()
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		_ = s.open[id].Rollback(ctx)
		delete(s.open, id)
	}
	err := s.db.Restore(s.backup, hidden)
	s.incarnation++
	if !hidden && !s.w.plan.Setup.NoViewState {
		s.told = s.incarnation
	}
	s.w.say("source", "restored, hidden %v: %v", hidden, err)
	s.w.fault("source restored")
	for _, name := range s.w.plan.Setup.Tables {
		if s.read(name) == nil {
			_ = s.do(kindOf(name).create)
		}
	}
	s.look()
}

// failover moves the database to another server: as it is, or as a copy that
// had not received all yet.
func (s *source) failover(older bool) {
	for _, id := range slices.Sorted(maps.Keys(s.open)) {
		_ = s.open[id].Rollback(context.Background())
		delete(s.open, id)
	}
	s.servers++
	s.db.Failover(fmt.Sprintf("STANDIN%d", s.servers))
	s.w.fault("source failed over")
	s.w.say("source", "is on another server, with all it had: %v", !older)
	if older {
		s.restore(false)
	} else {
		s.look()
	}
}

// lose deletes rows that the cloud has.
func (s *source) lose(st Step) {
	k := kindOf(st.Table)
	for _, key := range slices.Sorted(maps.Keys(s.w.cloud.tables[st.Table].rows)) {
		if _, there := s.tables[st.Table][key]; there && st.N > 0 {
			st.N--
			_ = s.do(fmt.Sprintf("DELETE FROM dbo.%s WHERE %s", k.name, s.where(k, quoted(k, strings.ReplaceAll(key, ",", ", ")))))
		}
	}
}

func (s *source) inject(st Step) {
	f := mssqltest.Fault{Times: st.N, Match: regexp.MustCompile("FROM")}
	switch st.Kind {
	case "deadlock":
		f.Err = mssqltest.Deadlock
	case "locked":
		f.Err = mssqltest.LockTimeout
	case "severe":
		f.Err = mssqltest.Severe
	case "restoring":
		f.Err = mssqltest.Restoring
	case "slow":
		f.Delay = 40 * time.Second
	}
	f.Hook = func() { s.w.fault("source: " + st.Kind) }
	s.unwatch()
	s.server.Inject(f)
	s.watch() // behind it: the first that fits is taken
}

func (s *source) cut(st Step) {
	if st.Kind == "rows" {
		s.server.Network().CutAfterRows(int64(st.N % 20))
	} else {
		s.server.Network().CutAfterBytes(int64(st.N))
	}
	s.w.fault("source: connection cut in an answer")
}
