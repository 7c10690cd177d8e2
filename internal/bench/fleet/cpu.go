package main

import (
	"context"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/bench/cputime"
)

// processorTimes are those of this process, and of a Postgres server with all
// its sessions, those that have ended too; 0 where the system does not tell.
func processorTimes(ctx context.Context, conn *pgx.Conn) (own, server time.Duration, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0, err
	}
	server, err = cputime.OfServer(ctx, conn)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), server, err
}
