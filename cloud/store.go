package cloud

import (
	"context"
	"errors"
	"time"

	"tidemark/cloud/cost"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// A Store holds all that the API serves. Its methods may be called at the
// same time by many goroutines.
//
// Errors: what the contract names (an old sequence number, a second writer, a
// conflicting schema, no such table or customer) is a *wire.Problem, found
// with errors.As. ErrUnavailable is for what passes by itself. Any other error
// is a fault of the store. Every method that changes something does it wholly
// or not at all, unless it says otherwise.
type Store interface {
	Customers
	Invitations
	Tables
	Batches
	Manifests
	Control
	Reports
	Operators
	Recent
	Summaries
	cost.Store

	// Ready reports whether the store can serve now; it is quick.
	Ready(ctx context.Context) error
	// Close waits for what is running and frees everything.
	Close() error
}

// ErrUnavailable is found in errors that pass by themselves: the database is
// not reachable, restarting, out of connections, or ended the transaction in
// favour of another. The API answers 503; the caller tries again.
var ErrUnavailable = errors.New("the store is not available")

// Customers is the part of a Store that knows who may come in.
type Customers interface {
	// AddCustomer adds a customer with its first key; ErrExists when the ID is
	// taken.
	AddCustomer(ctx context.Context, c Customer, first Key) error
	// ListCustomers returns all customers, by ID.
	ListCustomers(ctx context.Context) ([]Customer, error)
	// Keys returns the keys of a customer, expired ones too; none for a
	// customer that does not exist.
	Keys(ctx context.Context, customer string) ([]Key, error)
	// RotateKey adds a key and lets those that exist, and expire later or
	// never, expire at until. Keys expired before now are removed.
	RotateKey(ctx context.Context, customer string, next Key, now, until time.Time) error
	// RemoveCustomer removes the keys at once, then the rows of the customer
	// in bounded steps, then all else of it. Interrupted, it is called again.
	RemoveCustomer(ctx context.Context, customer string) error
}

// ErrExists is the error of AddCustomer for an ID that is taken.
var ErrExists = errors.New("the customer exists")

// A Customer is a tenant. Its ID has passed CheckCustomer.
type Customer struct {
	ID      string
	Name    string // for people; may be empty
	Created time.Time
}

// A Key opens one customer. The key itself is nowhere: Hash is its SHA-256.
type Key struct {
	Hash    [32]byte
	Created time.Time
	Expires time.Time // zero: never
}

// Tables is the part of a Store that knows versions and schemas.
type Tables interface {
	// Versions returns the versions of all tables that the customer has
	// registered. It reads one row a table, whatever their sizes.
	Versions(ctx context.Context, customer string) (wire.Versions, error)
	// VersionsToken returns what stands for the versions of all tables: another
	// one, that never was before, as soon as a change of one of them is
	// committed, by whatever instance. It reads one small row.
	VersionsToken(ctx context.Context, customer string) (string, error)
	// Table returns one table; a problem NotFound when it is not registered.
	Table(ctx context.Context, customer, table string) (wire.Table, error)
	// Register makes schema the one of the customer's table: see
	// dataset.Dataset.Register and ledger.State.Register for what becomes of
	// the shared table and of the version. Registering what is registered
	// changes nothing. The schema has passed its Check and the name CheckTable.
	Register(ctx context.Context, customer, table string, schema wire.Schema) (wire.Table, error)
	// Release forgets the writer of a table, so that another may claim it, and
	// returns who it was.
	Release(ctx context.Context, customer, table string) (wire.Writer, error)
	// Drop deletes all rows of the customer's table, in bounded steps, and
	// resets its version; schema and writer stay. The version is reset, in one
	// transaction with the check of writer and sequence (ledger.State.Drop),
	// before the first row goes, to one that no batch but a load's first can
	// follow: interrupted, the rows that are left are counted in Version.Rows
	// and go with the next Drop.
	Drop(ctx context.Context, customer, table string, d Drop) (wire.Answer, error)
}

// A Drop says who drops a table, and which state of it.
type Drop struct {
	Writer   wire.Writer
	TakeOver bool
	Seq      *uint64 // the version's, when the caller wants it checked
}

// Batches is the part of a Store that takes rows.
type Batches interface {
	// Apply inserts and updates the rows of a batch. The whole batch, the
	// version and the answer that a repeated batch gets are one transaction.
	//
	// What the batch does to the version is decided by ledger.State.Admit, with
	// the version locked. A row is inserted when the table lacks its key (the
	// bytes of the key, not a collation's equality). A row that is there is
	// left untouched, and counted Unchanged, when it carries the current
	// epoch's number and the same row version, or with wire.ByRowVersion a
	// newer one; otherwise it is replaced, takes the current epoch's number,
	// and is counted Updated. Of several lines with one key the newest wins
	// (with wire.ByContent the last); the others count as Unchanged or
	// Updated. Always Inserted + Updated + Unchanged + len(Refused) is the
	// number of lines.
	//
	// A row that comes with a Refusal is not applied; the store says in
	// Present whether it holds a row with that key, and names it in the
	// answer. A store refuses rows of its own accord only for what it cannot
	// hold. Refusals are in order of their lines. Version.Rows is exact.
	Apply(ctx context.Context, b Batch) (wire.Answer, error)
	// Delete deletes the keys of a batch whose stamps are those of the rows
	// (see internal/wire, manifest); all else is as with Apply. A key that is
	// gone, or whose stamp is another, counts as Guarded.
	Delete(ctx context.Context, b Batch) (wire.Answer, error)
}

// A Batch is a batch on its way into a store. Its header has passed Check.
type Batch struct {
	Customer string
	Table    string
	Header   wire.Header
	Schema   wire.Schema // the one that Header.Schema is the fingerprint of
	Rows     RowSource
	Now      time.Time // of the server, for the writer's claim
	Request  string    // ID of the request, which Recent tells
	Bytes    int       // of the body as it was sent
}

// A RowSource gives the lines of a body, checked, one by one, in bounded
// memory. It can be read again from the start, any number of times.
type RowSource interface {
	// Next returns the next row, valid until the call after. Behind the last
	// one it is io.EOF, and only when the body is whole. Any other error means
	// that the body is not what it should be: the store undoes everything and
	// returns the error, wrapped or not.
	Next() (Row, error)
	// Rewind begins again at the first row.
	Rewind() error
}

// A Row is one line. In a batch of rows Values are all columns of the schema,
// in its order; in a manifest and in a batch of deletes, the key's columns in
// key order. Values are in their wire form, checked against the schema: no
// value of a key is null, no text holds U+0000.
type Row struct {
	Index   int    // of the line, from 0
	Version uint64 // row version
	Epoch   int64  // the epoch's number, where the line's stamp names one; 0: the current one's
	Values  [][]byte
	// Refusal is set where a value is not acceptable. Then Key, not Values,
	// tells the row: its key's values in key order, or nil when one of them is
	// what was refused.
	Refusal *wire.Refusal
	Key     [][]byte
}

// Manifests is the part of a Store that lists and compares what it holds. It
// answers a problem SchemaChanged or WrongEpoch when the header is not for
// the table as it is: see ledger.State.AdmitManifest.
type Manifests interface {
	// Compare tells which lines the customer's table lacks, and which it holds
	// with another stamp. A line with a Refusal is Missing.
	Compare(ctx context.Context, m Manifest) (wire.Comparison, error)
	// List appends manifest lines, in an order of the store's own that is the
	// same for all pages, to out: at most m.Header.Limit, and no more once out
	// holds m.Bytes. A page holds at least one line unless none are left.
	List(ctx context.Context, m Manifest, out *wire.Lines) (wire.ListHeader, error)
	// Rows calls fn for every row of the customer's table, all from one
	// moment, in the order of List: the columns of the registered schema in
	// their wire form, valid until fn returns. It is the operator's export.
	Rows(ctx context.Context, customer, table string, fn func(Row) error) error
}

// A Manifest is a request to the manifest endpoint.
type Manifest struct {
	Customer string
	Table    string
	Header   wire.ManifestHeader
	Schema   wire.Schema // the one that Header.Schema is the fingerprint of
	Rows     RowSource   // mode compare
	Bytes    int         // mode list: bound of a page
}

// Summaries is the part of a Store that sums its tables up, see package
// differ/summary. Apply, Delete and Drop keep the sums in their transactions,
// from the row versions that the store itself held.
//
// A table has no summary before its first load is complete, and not while one
// is being made: then the methods answer a problem NoSummary. A question for
// another layout than the table's is a problem LayoutChanged.
type Summaries interface {
	// Tree returns the summary with whole sums. What Tree and Leaves return is
	// the caller's, who cuts the sums in place.
	Tree(ctx context.Context, customer, table string) (*summary.Tree, error)
	// Leaves returns the leaves of the nodes asked for, with whole sums.
	Leaves(ctx context.Context, customer, table string, q summary.LeavesQuestion) (*summary.LeavesAnswer, error)
	// Differences compares fingerprints with the rows held in leaves, reads no
	// page of the table outside of them, and calls fn for each leaf asked for,
	// in order. What fn gets is valid until it returns.
	Differences(ctx context.Context, customer, table string, q summary.CompareQuestion, fn func(summary.LeafDifference) error) error
	// Summarize makes the summary of a table anew from its rows, with a layout
	// that fits them now, while batches go on. It returns the layout.
	Summarize(ctx context.Context, customer, table string) (summary.Layout, error)
	// Scrub holds a table's summary against its rows. It returns how many
	// leaves were wrong; where any was, the summary is made anew.
	Scrub(ctx context.Context, customer, table string) (wrong int, err error)
	// CatchUp has the summaries made that a process left behind when it ended:
	// in the background, a table at a time, until the store is closed.
	CatchUp()
}
