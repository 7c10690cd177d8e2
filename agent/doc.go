// Package agent is one site: it reads what changed in the site's SQL Server
// sources, decides how little it can do about it, and brings the cloud's
// tables up to date.
//
// A cycle of a table goes through the same few steps every time:
//
//  1. one statement per source tells every table due what moved (probe);
//  2. the scheduler decides, first on local facts, then, where these do not
//     suffice, with the cloud's version (cycle);
//  3. what it decided is done: rows go up in batches, one chunk read ahead
//     while another is being sent (upload), or the two sides are compared and
//     repaired (diff);
//  4. the decision, its input and its outcome go to the journal, and what the
//     next cycle has to know goes to the state, in one transaction.
//
// Each source has a goroutine, a connection budget, an epoch and problems of
// its own: a source that fails holds no other back. All of the agent's state
// can be lost: the cloud keeps the cursor and the marks of every table, and a
// round of comparison tells the rest.
package agent
