// Package state keeps what an agent has to remember between cycles and
// restarts, in one bbolt file: for each table the scheduler's counters, what
// is known of the cloud, sentinels and approvals; for each source its epoch
// and marks; the journal; the quarantine; pauses; the instance's id.
//
// Nothing in it is the only copy of anything but pauses and approvals. Losing
// the file costs a question to the cloud and a round of comparison. A file
// that cannot be read, or that another version of the format wrote, is
// therefore set aside under another name, and a new one begun.
//
// Writes are transactions with an fsync each: callers gather what belongs
// together (see Change).
package state
