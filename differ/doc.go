// Package differ finds out what differs between a table and its copy in the
// cloud, and repairs it. It knows neither SQL nor HTTP: both sides are
// interfaces.
//
// # The diff by summaries
//
// Both sides have the table summed up in the same tree of cells: see package
// summary for what cells, leaves, nodes and layouts are. ByTree asks for root
// and nodes, then reads the source's keys once. In an ordered layout a node's
// rows come together: when the next node begins it is complete, and either
// equal to the cloud's and forgotten, or held until its leaves have been asked
// for. The rows of leaves that differ go up, each as a short fingerprint, and
// the differences come back: which of them the cloud has not, and which rows
// it has besides. Missing and stale rows are sent at once; deletes wait for the
// end, when their number is known and can be approved.
//
// In a hashed layout, or at a server that sorts otherwise than SQL Server, a
// leaf's rows are scattered. One read adds up all leaves in memory; only if
// some differ a second one collects their rows.
//
// Equal tables cost one request, and a difference those of its node and leaf.
// When more than a quarter of the leaves differ, or memory would not do, the
// diff goes on by manifests.
//
// While it streams, ByTree hands out tokens: up to there all is compared, and
// repaired but for deletes. A later run goes on from a token. Deletes that were
// found before it are counted, and made by the run after.
//
// Rows above the watermark are in no cell: the next delta brings them, and
// what the cloud has instead is no difference.
//
// # The diff by manifests
//
// First the source's keys and row versions are streamed in the source's own
// order and sent up chunk by chunk; the cloud answers which lines it lacks
// (missing) and which it holds in another version (stale). Every key seen goes
// into a Bloom filter of bounded size. No order is compared: the two sides
// need not agree on one.
//
// Then the number of rows that only the cloud has (surplus) is known without
// looking: its exact row count less the keys that it was seen to hold. Only
// if there are any are the cloud's keys listed. A key that is not in the
// filter was certainly not seen at the source and is a candidate for a
// delete. A key that is in the filter by accident hides; the filter has a
// random seed in every run, so that the next run finds it: accidents delay,
// and never delete.
//
// # What makes a repair safe
//
// Every difference is confirmed by reading that very key again at the source,
// bytes compared. Rows that are still there are sent as they were just read. A
// key that is still not there is deleted under the guard of the stamp it was
// listed with. A row that is written between the two is therefore either not
// deleted or, having a row version above every watermark, sent again by the
// next delta.
//
// A line whose row version lies above the watermark is no difference: the next
// delta brings it.
//
// Deletes above ApprovalLimit stop before the first is sent, until a person
// has approved their number: an empty restored database must not empty the
// cloud. The number is that of the surplus, which no accident of the filter
// makes smaller, and no more than it are ever sent.
//
// # Bounds
//
// By summaries: TreeOptions.BufferBytes of rows, CellBytes of cells,
// HoldBytes of deletes, the cloud's nodes (24 bytes for some 30,000 rows), and
// one chunk of lines.
//
// By manifests: the filter, one chunk of lines, and at most Options.Slice
// differences at a time. Cost for n rows: one pass over the narrowest index of
// the source, n manifest lines up, and, only with a surplus, at most n down.
package differ
