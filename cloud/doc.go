// Package cloud is the reference implementation of Tidemark's cloud API: the
// handlers, and the Store that they consume. It knows neither SQLite nor
// Postgres; see cloud/sqlite and cloud/postgres. What both stores must do alike
// is pure code of its own: cloud/ledger decides what a batch does to a version,
// cloud/dataset what a schema does to a table; cloud/storetest holds both
// stores against one suite, cloud/conformance any base URL.
//
// Bodies are read whole, compressed, before a store is asked for anything, so
// that no transaction ever waits for a network; they are decoded row by row
// while the store takes them.
package cloud
