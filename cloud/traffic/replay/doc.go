// Package replay sends recorded requests to another installation of the API,
// which starts from a copy of the database as it was when the recording began.
//
// Requests of one table go in the order in which they were recorded, one after
// the other, so that sequence numbers stay valid; different tables go at the
// same time, with the spacing of the recording, scaled. A change that the target
// cannot take now (503, 429, a connection that breaks) is sent again: what
// follows it would not be valid without it.
//
// The recorded installation is refused, by two signs: the target's host is one
// that the recorded clients named, or the target already has what was
// recorded.
package replay
