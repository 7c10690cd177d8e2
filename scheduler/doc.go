// Package scheduler decides what a cycle does with a table, and when the next
// cycle is due. The decision is a pure function over what is known; it reads
// no clock, asks nobody and keeps nothing.
//
// # The decision
//
// First match wins. Every result carries a reason that a support person can
// read. Stage 1 knows local facts only:
//
//	1  the table is off, here or by the operator's policy        skip (disabled)
//	2  first sync is complete, and fewer than forced_skips
//	   evaluations have passed since the last sync               skip (forced, 3 of 12)
//	3  local version equals the one last synced, and fewer
//	   than max_skips skips in a row                             skip (unchanged, 7 of 30)
//	4  otherwise                                                 ask for the cloud's version
//
// Stage 2 holds the local version against the cloud's:
//
//	 5  the cloud has nothing, or its first load is unfinished    upload (first load, resumes at its cursor)
//	 6  epochs differ                                             upload (every row again), then diff
//	 7  local highest row version is above the watermark          upload (delta), then decide again
//	 8  the watermark is above the local ceiling, same epoch      diff, after re-checking the epoch
//	 9  row counts differ, confirmed by an exact count            diff (rows were deleted)
//	10  verify_every has passed since the last comparison         diff (scheduled check)
//	11  otherwise they are identical                              nothing
//
// At most one upload and one diff per table and cycle. A table that was not
// skipped and is identical on both sides does nothing; it never falls through
// to a diff.
//
// # Asking for what is missing
//
// [Decide] is called again and again within one cycle. As long as it needs a
// fact that Input does not hold, it answers with the action that fetches it
// ([AskSource], [AskCloud], [CheckEpoch], [Count]); the caller adds the fact
// and asks again. After an upload the caller sets Uploaded and the version
// that the upload returned, which is not a remembered one; after a load it
// also reads Local again, because rows came while it ran. The cycle ends with [Skip], [Nothing], a finished
// [Diff] or an error. [Next] keeps the books after each.
//
// # What the words mean
//
// A sync is a cycle that uploaded or compared and ended well. Rule 2 counts
// evaluations since then. Rule 3 counts its own skips in a row; a cycle in which
// the cloud was heard ends the row. One that finds both sides identical is no
// sync; where it did so by a remembered version, it goes on with the row. A
// remembered version that is leased counts as heard: the cloud has said that it
// holds, and would tell otherwise. A sync that was asked for, by a person or
// because the table has other columns than the cloud, does not end by a
// remembered version.
//
// Work that was begun and not finished is open: until it is, rules 2 and 3 do
// not match.
//
// Row counts are compared as local rows - cloud rows against the gap that
// quarantined rows explain. Fewer rows here than there is a sure sign of
// deletes. More rows here may still be under way while a transaction is open
// at the source, and then wait for it. A cheap count that turned out wrong is
// corrected by what it was wrong by, so that it does not ask for an exact one
// every time. A table whose count is unknown, or was wrong, is counted exactly
// every CountEvery.
//
// Tables whose versions are hashes of their content have no highest version:
// rules 7 and 8 do not apply, and rule 3 does not hide a scheduled check.
//
// # When tables are due
//
// A [Queue] runs the cycles. Tables of one source with one interval are due
// together, so that one statement can look at all of them; different sources
// and customers are spread, and every tick is jittered. Only the work that a
// decision asks for takes a [Slot]: a table that is skipped waits for nobody,
// and a table with much to do makes room between its batches.
package scheduler
