package main

import (
	"os"
	"runtime/debug"
)

// thrift has the garbage collector begin when half as much garbage as live
// memory has piled up, not as much again: beside a database memory is worth
// more than the few hundredths of a core that it costs while rows move (see
// docs/performance.md). GOGC in the environment has the last word.
func thrift() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
