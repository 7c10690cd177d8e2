package sqlserver

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// holderSQL finds the session whose transaction has written to the log of
// this database for longest.
const holderSQL = `SELECT TOP (1) CONVERT(int, s.session_id) AS session_id, s.login_name, s.host_name, s.program_name, s.status,
 d.database_transaction_begin_time AS began, GETDATE() AS now
FROM sys.dm_tran_database_transactions AS d
 JOIN sys.dm_tran_session_transactions AS x ON x.transaction_id = d.transaction_id
 JOIN sys.dm_exec_sessions AS s ON s.session_id = x.session_id
WHERE d.database_id = DB_ID() AND d.database_transaction_begin_time IS NOT NULL
ORDER BY d.database_transaction_begin_time;
`

// Holder names the session with the oldest open transaction in the database,
// which most likely holds the ceiling back: "session 61 of sa from HOST
// (program), sleeping, open for 12m0s". It is "" where there is none or the
// right to see it is missing.
func (s *Source) Holder(ctx context.Context) (string, error) {
	holder := ""
	err := s.run(ctx, s.plain(holderSQL), func(r *rows) error {
		return r.eachRow(func(v []driver.Value) error {
			holder = fmt.Sprintf("session %d of %s", intOf(v[0]), textOf(v[1]))
			if host := strings.TrimSpace(textOf(v[2])); host != "" {
				holder += " from " + host
			}
			if program := strings.TrimSpace(textOf(v[3])); program != "" {
				holder += " (" + program + ")"
			}
			if status := textOf(v[4]); status != "" {
				holder += ", " + status
			}
			began, a := v[5].(time.Time)
			now, b := v[6].(time.Time)
			if a && b {
				holder += ", open for " + now.Sub(began).Round(time.Second).String()
			}
			return nil
		})
	})
	if lacking(err) {
		return "", nil
	}
	return holder, named("look for the oldest transaction", err)
}
