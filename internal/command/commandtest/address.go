package commandtest

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddress is one of this machine that a program can listen at. Its port is
// none of those that systems give to whoever asks for any: nobody else takes it
// before the program does.
func FreeAddress() string {
	for {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		if err == nil {
			_ = l.Close()
			return address
		}
	}
}
