// Package page is a page for a browser on the agent's own machine: what
// "tidemark status" and "tidemark journal" show, with lag and throughput of the
// last day as plots. It is plain HTML, drawn here, and needs no script.
//
// It only shows: there is nothing to ask for but pages, and nothing to change.
// It asks nobody who they are, so it is for addresses that only this machine
// has, and it answers only requests that name such an address as their host: a
// page from elsewhere, whose name was made to lead here, gets nothing.
package page
