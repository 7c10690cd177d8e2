// Package cost tells what the API costs its database, and whom: time, rows,
// bytes and blocks of every request, by endpoint and dataset, and by the
// customers that cost most. It knows neither HTTP nor a database.
//
// A Meter adds up what requests cost. A Keeper writes that down once a minute,
// in two records that it replaces: one of the minute, one of the hour so far.
// Where the store's database counts for itself (Source), its counters as they
// stand are a third record, the same for all instances. A Report reads records
// back. Everything is bounded: see the constants.
//
// A Volume is the allowance of a cloud volume, and a Balance the model of what
// is left of its burst, made from the counters.
package cost
