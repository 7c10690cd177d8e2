// Package metrics tells Prometheus about a running agent, in its text format
// (version 0.0.4), which is written by hand: a client library would be a fifth
// of the agent's size.
//
// What there is comes from the status at the moment of the question; what adds
// up comes from the journal's entries, which a Recorder is told as they are
// made. Labels are names of the configuration and words of the contract alone,
// so that the number of series is bounded by the number of tables. The families
// are listed in docs/observability.md.
package metrics
