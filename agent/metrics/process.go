package metrics

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

// A Process is what is told of the process itself.
type Process struct {
	Started    time.Time
	Resident   int64 // bytes; 0 where the system does not tell
	Goroutines int
	Heap       uint64 // bytes in use
	System     uint64 // bytes had from the system
}

// This is the process that it is called in.
func This(started time.Time) Process {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Process{Started: started, Resident: resident(), Goroutines: runtime.NumGoroutine(), Heap: m.HeapInuse, System: m.Sys}
}

// resident reads proc(5)'s statm: sizes in pages, the second is what is
// resident.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
