// Command soak runs the shipped programs, kills them and breaks what is
// around them, and then looks whether anything was lost: make soak.
//
//	source (stand-in and its writers) ── agent ── proxy ── API ── Postgres
//
// Each is a process of its own, and the soak restarts the one that is gone, as
// systemd would; nobody does anything else by hand. Where the soak is root,
// the site is in a network namespace behind a link that is cut and slowed, and
// the data of Postgres and the agent's state are on small file systems that
// are filled up. What a machine does not allow is named in the report as not
// run.
//
// All along, a key that the cloud had and that no writer has deleted must stay
// in the cloud. At the end every row of both sides is compared, and memory,
// files, goroutines, descriptors and connections are held against what they
// were before. Linux alone.
package main
