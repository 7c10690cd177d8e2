// Package ship delivers access logs to an HTTP endpoint that takes JSON lines,
// as Logstash's http input does (codec json_lines).
//
// A log is read in blocks of whole lines; each block becomes one batch: one
// POST of one JSON object a line. Some batches are on their way at a time. A
// batch that was not taken whole is sent again, whole, until it is: every line
// arrives at least once. What comes twice can be told by log_file and
// log_line, which every object has: together they make a document's ID.
//
// A line that is not one of a load balancer's, and one that the endpoint
// refuses by itself, is set aside with its file, number and reason; the log
// goes on behind it. The checkpoint moves only over what has been delivered or
// set aside, so that a killed program goes on where that ended.
package ship
