package main

import (
	"net"
	"os"
	"strings"
	"time"
)

// notify tells systemd how serve does, where it wants to know: sd_notify(3).
// Nothing can be done about a message that is not taken.
func notify(state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	if name, ok := strings.CutPrefix(socket, "@"); ok { // of the abstract namespace
		socket = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err == nil {
		_, _ = conn.Write([]byte(state))
	}
}
