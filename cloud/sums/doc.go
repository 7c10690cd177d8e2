// Package sums keeps the summaries of a cloud's tables (see package
// differ/summary) in a form that costs a store little. It is pure: stores move
// its blobs in their transactions.
//
// # Terms
//
// The nodes of a table are one blob: every node that is not empty, with its
// cell and how many leaves it has. The leaves of a node are one blob each:
// which there are, and their cells. A batch touches neither. It appends an
// entry to the table's log: the leaves that it changed, and by how much. The
// tail is the part of the log that is not yet in a blob; there is one behind
// the nodes and a longer one behind the leaves.
//
// Reading adds the tail to the blobs. Folding writes the sum down: the nodes
// when their tail is longer than a few pages, which costs one small blob, the
// leaves when theirs is two and a half times as long as they are. Random
// updates, a leaf each, then cost 18 bytes of log, half as much of leaves
// written again, and no page that other batches touch. Who asks for the nodes
// may ask for leaves next: then a long tail of theirs is folded before it is
// due.
//
// # Layouts in turn
//
// A table's Mark names the layout that its batches are summed up for and the
// batch that did so last. One that was written without (by a program from
// before) shows by its sequence number, and the summary is made anew.
//
// To make one, a store samples the keys, chooses the layout, and marks the
// table with it, so that from then on every batch writes its entry. Then it
// reads all rows as of one moment. What is in the log up to that moment is
// part of them; what comes behind is the tail.
package sums
