package admission

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bounds are alike for all classes.
func bounds(least, most, waiting int) (b [Classes]Bounds) {
	for i := range b {
		b[i] = Bounds{Least: least, Most: most, Waiting: waiting, Quick: time.Millisecond}
	}
	return b
}

func fixed(n int) func() int { return func() int { return n } }
