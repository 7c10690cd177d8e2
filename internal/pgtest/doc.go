// Package pgtest gives tests and benchmarks a private Postgres server in a
// temporary directory: one for each process, one fresh database for each
// call of Start; and hot standbys of it.
//
// The server listens on 127.0.0.1 and on a socket in its directory, trusts
// local connections, and does not sync to disk. It outlives nothing: a
// watching shell holds the other end of a pipe and stops the server and
// removes its directory when the process ends, also by a panic or a kill.
//
// Postgres refuses to run as root; a root process runs it as the user
// "postgres", or else "nobody". Unix only.
package pgtest
