package state

import (
	"time"

	"tidemark/agent/journal"
	"tidemark/internal/wire"
	"tidemark/scheduler"
)

// A Table is what is remembered of one table. The zero Table is one of which
// nothing is known.
type Table struct {
	Scheduler scheduler.State `json:"scheduler"`
	Cloud     wire.Version    `json:"cloud"`              // as last answered
	Asked     time.Time       `json:"asked,omitzero"`     // when the cloud last answered a question or a batch
	Batch     string          `json:"batch,omitempty"`    // the last batch that was answered
	Refused   int64           `json:"gap,omitempty"`      // rows here that the cloud does not hold because they cannot be sent
	LocalRows int64           `json:"rows,omitempty"`     // as last seen; -1 unknown
	High      uint64          `json:"high,omitempty"`     // highest local row version seen
	Sentinels []Sentinel      `json:"sentinel,omitempty"` // newest rows sent
	Scan      Scan            `json:"scan,omitzero"`
	Synced    time.Time       `json:"synced,omitzero"`  // both sides were last known equal
	Behind    time.Time       `json:"behind,omitzero"`  // the first change that the cloud lacks was seen
	Secret    string          `json:"secret,omitempty"` // of the table's summary
	Place     Place           `json:"place,omitzero"`
	Rest      time.Time       `json:"rest,omitzero"` // no scan begins before
	Approval  *Approval       `json:"approval,omitempty"`
	Paused    *Pause          `json:"paused,omitempty"`
}

// A Scan remembers that no row lies in (From, To], so that the next look for
// changes begins at To. It holds while the cloud's watermark is From.
type Scan struct {
	Epoch string `json:"epoch,omitempty"`
	From  uint64 `json:"from,omitempty"`
	To    uint64 `json:"to,omitempty"`
}

// A Place is where a comparison was broken off.
type Place struct {
	Token string    `json:"token,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// A Sentinel is a row sent and its version: in the same epoch it may be gone
// or newer, never older.
type Sentinel struct {
	Key     string `json:"k"` // JSON array
	Version uint64 `json:"v"`
}

// An Approval is a number of deletes that waits for a person.
type Approval struct {
	Deletes int64     `json:"deletes"`
	Limit   int64     `json:"limit"`
	Since   time.Time `json:"since"`
	Sample  []string  `json:"sample,omitempty"`
	Granted bool      `json:"granted,omitempty"`
}

// A Pause was asked for by a person.
type Pause struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// A Source is what is remembered of one source.
type Source struct {
	Epoch      string            `json:"epoch,omitempty"`
	EpochSince time.Time         `json:"epoch_since,omitzero"`
	Marks      map[string]string `json:"marks,omitempty"` // of the epoch
	DBTS       uint64            `json:"dbts,omitempty"`  // highest seen in the epoch
	Ceiling    uint64            `json:"ceiling,omitempty"`
	Held       time.Time         `json:"held,omitzero"` // the ceiling stands still behind DBTS since
}

// Site is what is remembered of the whole.
type Site struct {
	Instance string    `json:"instance,omitempty"`
	Customer string    `json:"customer,omitempty"`
	Paused   *Pause    `json:"paused,omitempty"`
	Problems []Problem `json:"problems,omitempty"` // as last known; not those of tables
}

// A Problem is what was wrong with the configuration, the cloud or a source.
type Problem struct {
	Kind    string    `json:"kind"`
	Scope   string    `json:"scope"`
	Name    string    `json:"name,omitempty"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	Since   time.Time `json:"since"`
	Times   int       `json:"times"`
}

// A Change is what one transaction writes: the records named, whole, and
// journal entries behind those that are there.
type Change struct {
	Site    *Site
	Sources map[string]Source
	Tables  map[string]Table
	Journal []journal.Entry
}

// Empty tells whether there is nothing to write.
func (c Change) Empty() bool {
	return c.Site == nil && len(c.Sources) == 0 && len(c.Tables) == 0 && len(c.Journal) == 0
}
