// Package differ finds out what differs between a table and its copy in the
// cloud, and repairs it. It knows neither SQL nor HTTP: both sides are
// interfaces.
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
// Memory: the filter, one chunk of lines, and at most Options.Slice
// differences at a time. Cost for n rows: one pass over the narrowest index of
// the source, n manifest lines up, and, only with a surplus, at most n down.
package differ
