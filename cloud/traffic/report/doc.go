// Package report sums access logs up: requests, bytes, latency and status by
// endpoint, customer, table and hour.
//
// It reads logs once, in any order of their lines and of their files, and
// holds one cell for each endpoint, customer, table and hour of an endpoint,
// up to bounds behind which all others share one cell, named "(other)".
package report
