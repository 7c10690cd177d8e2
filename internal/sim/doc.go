// Package sim runs a whole site with its cloud in one process and in virtual
// time, breaks what can break by a plan drawn from a seed, and holds the two
// sides to what must survive.
//
// The programs' own packages run as they are: the agent with its state file,
// its reader of SQL Server and its client of the API; the API's server with a
// SQLite store; the stand-in SQL Server of internal/mssqltest. Only what is
// outside of them is made here: the network (memory with delays), the clocks,
// and whoever pulls the plugs.
//
// Words:
//
//	plan      what a history is made of: a site, and steps with their times. A
//	          seed gives one; a file in testdata holds one that failed once.
//	history   a plan as it went: steps, requests, commits, decisions.
//	fate      what becomes of a request on its way.
//	surgeon   the one goroutine that kills sides: it waits until nothing moves,
//	          copies what is on the disk, and cuts all connections.
//
// A crash keeps exactly what was on the disk at that moment. Everything the
// side does after that, as it ends, is undone by putting the copy back.
//
// # What is asserted
//
// After every change of either side: no row of the cloud was deleted that the
// source holds in the same version (and held all the time, where the source
// was restored), and none that no lookup of its key had found gone; every row
// of the source at or below the watermark is in the cloud as it is or newer; a
// batch is applied once, and its number follows the one before; the summary is
// that of the rows; no table skips more often in a row than its caps allow.
//
// At rest, when all faults have ended and nothing is owed any more: both
// sides are equal, in an epoch that began behind the last restore that shows,
// but for rows that the cloud must refuse, and those are in the quarantine;
// nothing is uploaded any more and nothing compared but by schedule.
//
// # How exactly a seed replays
//
// The plan, all delays, jitter and random numbers of the programs come from
// the seed, and every packet arrives at an instant of its own, so that one
// thing happens at a time. The order of goroutines that wake at the same
// instant, of maps and of selects is the runtime's: a history mostly
// replays event by event, and is not promised to.
package sim
