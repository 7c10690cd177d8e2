package cloud

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
)

var started = time.Now()

// writeProcess writes what the process takes, under the names that Prometheus'
// own clients use.
func writeProcess(b *bytes.Buffer) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, f := range []struct {
		name, help string
		value      uint64
	}{
		{"process_start_time_seconds", "Unix time of the start of the process", uint64(started.Unix())},
		{"go_goroutines", "goroutines that there are now", uint64(runtime.NumGoroutine())},
		{"go_memstats_heap_inuse_bytes", "heap in use", m.HeapInuse},
		{"go_memstats_sys_bytes", "memory had from the system", m.Sys},
	} {
		family(b, f.name, "gauge", f.help)
		fmt.Fprintf(b, "%s %d\n", f.name, f.value)
	}
}
