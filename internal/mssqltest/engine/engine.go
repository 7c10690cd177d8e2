package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// Options describe a server.
type Options struct {
	ServerName    string           // @@SERVERNAME; "STANDIN" when empty
	Version       string           // @@VERSION; Version when empty
	EngineEdition int              // SERVERPROPERTY('EngineEdition'); 3 (Enterprise) when 0
	Product       string           // SERVERPROPERTY('ProductVersion'); 15.0.4430.1 (SQL Server 2019) when empty
	Now           func() time.Time // the clock of GETDATE and the catalog; time.Now when nil
}

// An Engine is a SQL Server instance. It implements tds.Handler.
type Engine struct {
	opts   Options
	parsed parsedBatches

	mu       sync.Mutex
	name     string // of the server
	dbs      []*Database
	logins   map[string]*Login
	sessions map[int]*Session
	lastID   atomic.Uint64 // transactions
}

// New makes a server with no login and only the database master.
func New(o Options) *Engine {
	e := &Engine{opts: o, name: cmp.Or(o.ServerName, "STANDIN"), logins: map[string]*Login{}, sessions: map[int]*Session{}}
	e.AddDatabase("master", DatabaseOptions{})
	return e
}

func (e *Engine) now() time.Time {
	if e.opts.Now != nil {
		return e.opts.Now()
	}
	return time.Now()
}

func (e *Engine) serverName() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.name
}

func (e *Engine) version() string { return cmp.Or(e.opts.Version, Version) }

// AddLogin makes a login known; it replaces one of the same name.
func (e *Engine) AddLogin(l *Login) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins[strings.ToLower(l.Name)] = l
}

// AddDatabase makes an empty database.
func (e *Engine) AddDatabase(name string, o DatabaseOptions) *Database {
	e.mu.Lock()
	defer e.mu.Unlock()
	db := newDatabase(e, name, o)
	db.id = len(e.dbs) + 1
	if name != "master" {
		db.id += 3 // tempdb, model and msdb have 2 to 4
	}
	e.dbs = append(e.dbs, db)
	return db
}

func (e *Engine) database(name string) *Database {
	for _, db := range e.databases() {
		if strings.EqualFold(db.name, name) {
			return db
		}
	}
	return nil
}

func (e *Engine) databases() []*Database {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.dbs)
}

func (e *Engine) allSessions() []*Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*Session
	for _, s := range e.sessions {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Session) int { return cmp.Compare(a.id, b.id) })
	return out
}

// Login opens a session of a client.
func (e *Engine) Login(_ context.Context, l tds.Login) (tds.Session, error) {
	refused := severity(14, errorf(18456, "Login failed for user '%s'.", l.User))
	e.mu.Lock()
	login := e.logins[strings.ToLower(l.User)]
	e.mu.Unlock()
	if login == nil || login.Password != l.Password {
		return nil, refused
	}
	name := cmp.Or(l.Database, "master")
	db := e.database(name)
	if db == nil || db.State() != "ONLINE" {
		return nil, severity(11, errorf(4060, "Cannot open database \"%s\" requested by the login. The login failed.", name))
	}
	s := e.open(db, login)
	s.host, s.app = l.Host, l.App
	return s, nil
}

// Open makes a session in this process, with all rights.
func (e *Engine) Open(db *Database) *Session {
	return e.open(db, &Login{Name: "sa", Admin: true})
}

func (e *Engine) open(db *Database, l *Login) *Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := 51 // lower ones belong to the system
	for e.sessions[id] != nil {
		id++
	}
	s := &Session{engine: e, db: db, login: l, id: id, loginTime: e.now(), lastStart: e.now()}
	s.resetSettings()
	e.sessions[id] = s
	return s
}

func (e *Engine) forget(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.id)
}
