package control

import (
	"context"
	"os"
	"os/user"
	"runtime"
	"strconv"

	"tidemark/agent/state"
)

// maxStacks bounds the text of all stacks, in bytes.
const maxStacks = 8 << 20

// A Process is how the service's process stands, for support.
type Process struct {
	PID        int    `json:"pid"`
	Account    string `json:"account"` // that it runs as
	Goroutines int    `json:"goroutines"`
	CPUs       int    `json:"cpus"`        // that it may use
	Heap       uint64 `json:"heap_bytes"`  // in use
	System     uint64 `json:"sys_bytes"`   // had from the system
	Collected  uint32 `json:"collections"` // of garbage, since the start
	Stacks     string `json:"stacks,omitempty"`
}

// process looks at the process that it runs in.
func process(context.Context, request) (Process, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p := Process{
		PID: os.Getpid(), Account: account(), Goroutines: runtime.NumGoroutine(), CPUs: runtime.GOMAXPROCS(0),
		Heap: m.HeapInuse, System: m.Sys, Collected: m.NumGC,
	}
	buf := make([]byte, 256<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) >= maxStacks {
			p.Stacks = string(buf[:n])
			return p, nil
		}
		buf = make([]byte, 2*len(buf))
	}
}

// account is the name of the account, or its number where it has none.
func account() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}

// Statistics asks how full the service's state file is.
func (c *Client) Statistics(ctx context.Context) (state.Statistics, error) {
	return call[state.Statistics](ctx, c, "statistics", request{})
}

// Process asks for the state of the service's process, with the stacks of all
// its goroutines.
func (c *Client) Process(ctx context.Context) (Process, error) {
	return call[Process](ctx, c, "process", request{})
}
