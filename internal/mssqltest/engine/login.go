package engine

import (
	"strings"
	"sync"
)

// A Login is a user of the server with its rights in all of its databases.
type Login struct {
	Name, Password string
	Admin          bool // may do everything

	mu             sync.Mutex
	SelectAll      bool // SELECT on every table that is not denied
	ViewState      bool // VIEW DATABASE STATE and VIEW SERVER STATE
	ViewDefinition bool // sees the metadata of every table
	rights         map[string]privilege
}

type privilege uint8

const (
	granted privilege = 1 + iota
	denied
)

func (l *Login) set(table string, r privilege) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rights == nil {
		l.rights = map[string]privilege{}
	}
	if r == 0 {
		delete(l.rights, strings.ToLower(table))
		return
	}
	l.rights[strings.ToLower(table)] = r
}

// Grant gives SELECT on a table, named schema.table.
func (l *Login) Grant(table string) { l.set(table, granted) }

// Deny refuses SELECT on a table, whatever else is granted.
func (l *Login) Deny(table string) { l.set(table, denied) }

// Revoke takes back a Grant or Deny.
func (l *Login) Revoke(table string) { l.set(table, 0) }

// SetViewState gives or takes VIEW DATABASE STATE and VIEW SERVER STATE.
func (l *Login) SetViewState(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ViewState = on
}

func (l *Login) may(permission string, t *table) bool {
	if l.Admin {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rights[strings.ToLower(t.fullName())]
	return permission == "SELECT" && r != denied && (r == granted || l.SelectAll)
}

// sees tells whether the metadata of a table is visible ("Metadata Visibility
// Configuration"): any right on it is enough.
func (l *Login) sees(t *table) bool {
	return l.may("SELECT", t) || l.viewDefinition()
}

func (l *Login) viewDefinition() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Admin || l.ViewDefinition
}

func (l *Login) viewState() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Admin || l.ViewState
}
