package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

// Classes of advisory locks. Every connection of every instance holds one of
// slotLocks, which are numbered from 1 to the number of slots, and shares the
// one of instanceLocks that is its instance's. Both end with the session.
const (
	slotLocks     = 0x74_6d_63 // "tmc"
	instanceLocks = 0x74_6d_69 // "tmi"
)

// errNoSlot says that a connection would be one more than all instances may
// have together.
var errNoSlot = fmt.Errorf("%w: none of its connections is left", cloud.ErrUnavailable)

const slotHint = "stop an instance, or raise the server's max_connections"

// slotsOf is how many connections all instances may have, of those that the
// server allows: reserve are left to others, by default an eighth.
func slotsOf(limit, reserve int) (int, error) {
	if reserve == 0 {
		reserve = limit / 8
	}
	n := limit - max(0, reserve)
	if n < 1 {
		return 0, fault.New("check the server", fmt.Errorf("it allows this user %d connections, and %d are left to others", limit, reserve),
			"raise max_connections (or the role's or the database's limit), or leave fewer to others")
	}
	return n, nil
}

// share is how many connections an instance may have that has mine now and
// never wants more than most: an equal part of the slots, less an eighth that
// newcomers find free. While others still have more than their parts, so that
// it grows, it is what it has and its part of what is free.
func share(most, slots, instances, mine, held int) (n int, grows bool) {
	equal := max(1, (slots-(slots+7)/8)/instances)
	n = min(most, equal)
	if held-mine <= equal*(instances-1) {
		return n, false
	}
	free := max(0, slots-held)
	now := max(1, min(n, mine+max(free/instances, min(free, 1))))
	return now, now < n
}

// takeSlot takes a slot for a session that has none, and has it counted as one
// of the instance's; 0 for none.
func takeSlot(ctx context.Context, conn *pgx.Conn, slots int, instance int32) error {
	// The function is called for one number after the other, up to the first that is free.
	var slot *int32
	err := conn.QueryRow(ctx, `SELECT (SELECT n FROM generate_series(1, $2::int) n WHERE pg_try_advisory_lock($1::int, n) LIMIT 1)`,
		int32(slotLocks), int32(slots)).Scan(&slot)
	switch {
	case err != nil:
		return err
	case slot == nil:
		return fault.New("take a connection", fmt.Errorf("%w: other instances have all %d", errNoSlot, slots), slotHint)
	case instance == 0:
		return nil
	}
	_, err = conn.Exec(ctx, "SELECT pg_try_advisory_lock_shared($1::int, $2::int)", int32(instanceLocks), instance)
	return err
}

// countSlots returns how many slots of a database are held, and how many
// instances there are, this one among them. That reads the server's memory alone.
func countSlots(ctx context.Context, conn *pgx.Conn, database uint32, instance int32) (held, instances int, err error) {
	err = conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE classid::bigint = $1), 1 + count(DISTINCT objid) FILTER (WHERE classid::bigint = $2 AND objid::bigint <> $3)
		FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND database::bigint = $4`,
		int64(slotLocks), int64(instanceLocks), int64(instance), int64(database)).Scan(&held, &instances)
	return held, instances, err
}
