package wire

import (
	"errors"
	"fmt"
)

// Protocol is the version of the protocol that this package speaks. It is in
// every header line; a peer refuses a number that it does not know.
const Protocol = 1

// ErrProtocol is found in errors about what is of another protocol.
var ErrProtocol = errors.New("one of agent and cloud is older than the other")

// OtherProtocol is the error of a protocol that is not the one spoken.
func OtherProtocol(got, spoken int) error {
	return fmt.Errorf("protocol %d is not spoken here, only %d: %w", got, spoken, ErrProtocol)
}

// A Version is what the cloud holds of one customer's table. Reading it costs
// the cloud one row, whatever the size of the table.
type Version struct {
	Epoch     string `json:"epoch"`            // chosen by the agent, 1 to 64 characters; "" before the first batch
	Seq       uint64 `json:"seq,string"`       // sequence number of the last batch applied; 0 before the first
	Watermark uint64 `json:"watermark,string"` // every row version at or below it is in the cloud
	Rows      int64  `json:"rows"`             // exact
	Loaded    bool   `json:"loaded"`           // the load of this epoch is complete
	Cursor    string `json:"cursor,omitempty"` // the agent's, opaque to the cloud, at most MaxCursor bytes
	Marks     string `json:"marks,omitempty"`  // the agent's, opaque to the cloud, at most MaxMarks bytes
	Schema    string `json:"schema"`           // fingerprint of the registered schema
	Writer    Writer `json:"writer,omitzero"`  // who applied the last batch
}

// Bounds of what the cloud keeps for the agent without reading it.
const (
	MaxCursor = 8 << 10
	MaxMarks  = 8 << 10
	MaxEpoch  = 64
)

// A Writer identifies the agent that writes a table. The cloud holds one per
// customer and table and refuses another ID until it is released or taken
// over on purpose.
type Writer struct {
	ID   string `json:"id,omitempty"`   // the same for one installation, also when its state is lost
	Name string `json:"name,omitempty"` // for people: host name
	Run  string `json:"run,omitempty"`  // another one for every start of the process
}

// A Table is the answer to a question about one table.
type Table struct {
	Name    string  `json:"name"`
	Version Version `json:"version"`
	Schema  Schema  `json:"schema"`
	// Secret keys the hashes of the table's summary: 32 hexadecimal digits,
	// another one for every customer and table. "" where the cloud keeps none.
	Secret string `json:"secret,omitempty"`
}

// Versions is the answer for all tables of a customer, by table name.
type Versions struct {
	Tables map[string]Version `json:"tables"`
}

// A Policy is what the operator allows a customer. It narrows what the
// agent's own file says and never widens it.
type Policy struct {
	Paused bool                   `json:"paused,omitempty"` // no table moves
	Reason string                 `json:"reason,omitempty"` // for people
	Tables map[string]TablePolicy `json:"tables,omitempty"` // by table name; "*" for those not named
}

// A TablePolicy narrows one table. Zero values leave the agent's own.
type TablePolicy struct {
	Disabled    bool   `json:"disabled,omitempty"`
	Reason      string `json:"reason,omitempty"`
	MinInterval int    `json:"min_interval_seconds,omitempty"` // seconds between two cycles, at least
	ForcedSkips int    `json:"forced_skips,omitempty"`         // at least, but for the first time after it was set
	MaxRows     int    `json:"max_batch_rows,omitempty"`       // at most
}
