//go:build !windows

package installer

import (
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// notifier tells systemd, by its socket: sd_notify(3). Without one it tells
// nobody.
type notifier struct {
	socket string
	every  time.Duration // between two signs of life; 0: none are wanted
	last   atomic.Int64  // of the clock below
	start  time.Time
}

func newNotifier(env func(string) string) *notifier {
	n := &notifier{socket: env("NOTIFY_SOCKET"), start: time.Now()}
	if strings.HasPrefix(n.socket, "@") { // of the abstract namespace
		n.socket = "\x00" + n.socket[1:]
	}
	// The time that systemd waits for; told a few times in it, for machines
	// that are slow.
	if us, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		n.every = time.Duration(us) * time.Microsecond / 4
	}
	return n
}

// Ready implements Manager.
func (n *notifier) Ready() { n.notify("READY=1") }

// Alive implements Manager.
func (n *notifier) Alive() {
	now, last := int64(time.Since(n.start)), n.last.Load()
	if n.every == 0 || last > 0 && time.Duration(now-last) < n.every || !n.last.CompareAndSwap(last, now) {
		return
	}
	n.notify("WATCHDOG=1")
}

// notify sends a message. Nothing can be done about one that is not taken:
// systemd then does what it does with a service that says nothing.
func (n *notifier) notify(state string) {
	if n.socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err == nil {
		_, _ = conn.Write([]byte(state))
	}
}
