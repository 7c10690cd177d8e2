package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A terminal's Ctrl-C and a service manager's SIGTERM both end serve well.
func TestServeEndsBySignal(t *testing.T) {
	t.Setenv("TIDEMARK_STORE", "sqlite:"+filepath.Join(t.TempDir(), "cloud.db"))
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		log, end := io.Pipe()
		code := make(chan int, 1)
		go func() {
			code <- run([]string{"serve", "--listen", "127.0.0.1:0"}, nil, io.Discard, end)
			end.Close()
		}()
		lines := bufio.NewScanner(log)
		var last string
		for lines.Scan() {
			if last = lines.Text(); !strings.Contains(last, `"msg":"serving"`) {
				continue
			}
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Signal(sig)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := <-code; got != 0 || !strings.Contains(last, `"msg":"stopped"`) {
			t.Errorf("%v: ended with %d, last said %s", sig, got, last)
		}
	}
}
