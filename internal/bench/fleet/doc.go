// Command fleet holds a fleet of agents and their cloud against what they
// replace, on one machine.
//
// System A is Tidemark: the real API over loopback with the Postgres store,
// and agents that decide with package scheduler, send with package uploader and
// compare with package differ; only their sources are made up. System B is the
// baseline: its own tables in the same server, asked and written as the system
// before did, see baseline.go. Both live through the same changes.
//
// # Time
//
// Time is simulated. Events of the fleet run in their order, as fast as they
// go, ten simulated seconds at a time: those of one such slot run side by side,
// on a bounded number of workers, one customer's one after the other. The
// server's clock is the slot's beginning. What the server does by itself while
// it runs (figures of its costs, a look at the rollouts, scrubbing) is done by
// the benchmark as often as simulated time wants it.
//
// Waits of package uploader are in real time, so that an agent never begins a
// call while its cloud is away: the waits of its gate are modelled, see
// away.go.
//
// # Counting
//
// Blocks are those that Postgres counts for a database, read and found in
// memory, catalogs and upkeep included (pg_stat_database).
package main
