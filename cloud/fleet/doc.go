// Package fleet is the page on which operators see all customers: tables by
// lag as a heat map, the worst customers first; last decisions, versions of
// agents, rows in quarantine, rollouts, what is spent on what; and each customer
// with its tables and the batches that came last.
//
// It only shows. What it shows of the whole fleet is a snapshot in memory,
// made of the reports of sites: read once, and then those that came since, in
// the background, while somebody looks (Watcher). A page of one customer reads
// that customer's few rows. Pages are plain HTML, drawn here, and work without
// a script; the one there is loads the page anew while somebody looks at it.
//
// Who wants to see it signs in with an operator's key (cloud.OperatorKey) and
// gets a cookie that the key itself signs: every instance can check it, and it
// ends with the key.
package fleet
