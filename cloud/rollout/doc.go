// Package rollout turns tables on for a share of the customers, watches what
// that does to the service, and takes it back when it does too much. It is
// pure but for the Watcher's loop: it knows neither HTTP nor a database.
//
// A Rollout is a document that operators change. While it is there its tables
// are off for customers that are not in its share. Who is in is decided by a
// hash of seed and customer, so that a growing share keeps those already in.
//
// A rollout with bounds is watched: a larger share comes into force only when
// some instance has seen the figures of a minute before it, which are the
// baseline, and found them within their bounds. When a figure then leaves its
// bounds for Hold, the share falls back to what it was and the rollout is
// halted. Every instance looks at the same figures; the one whose name is first
// among those that report acts, and the revision of the document makes sure
// that nobody acts twice. With its figures it tells for how long it has seen
// them: that is what Waits knows of a step that waits.
package rollout
