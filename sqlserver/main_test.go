package sqlserver

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		// The driver's reader waits for ever for somebody to take what comes
		// behind an error, and fuzzing makes it do so.
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
