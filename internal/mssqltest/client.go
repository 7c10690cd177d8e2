package mssqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net"

	mssql "github.com/microsoft/go-mssqldb"
)

// OpenDB opens a pool of go-mssqldb, for tests that break connections. The
// driver gives the buffers of a closed connection to the next one, although
// its own reader may still be at work in them; here they are left to the
// garbage collector.
func OpenDB(c *mssql.Connector) *sql.DB {
	var d mssql.Dialer = &net.Dialer{}
	if c.Dialer != nil {
		d = c.Dialer
	}
	c.Dialer = keeper{d}
	if h, ok := d.(mssql.HostDialer); ok {
		c.Dialer = hostKeeper{keeper{d}, h.HostName()}
	}
	return sql.OpenDB(connector{c})
}

type connector struct{ mssql *mssql.Connector }

func (c connector) Driver() driver.Driver { return c.mssql.Driver() }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	var network net.Conn
	conn, err := c.mssql.Connect(context.WithValue(ctx, keeperKey{}, &network))
	if err != nil {
		return nil, err
	}
	return &clientConn{conn.(*mssql.Conn), network}, nil
}

type clientConn struct {
	*mssql.Conn
	network net.Conn
}

// Close hides the driver's, which is what gives the buffers away.
func (c *clientConn) Close() error { return c.network.Close() }

type keeperKey struct{}

// A keeper notes the network connection of a login.
type keeper struct{ mssql.Dialer }

func (k keeper) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := k.Dialer.DialContext(ctx, network, addr)
	if at, ok := ctx.Value(keeperKey{}).(*net.Conn); ok && err == nil {
		*at = c
	}
	return c, err
}

type hostKeeper struct {
	keeper
	host string
}

func (k hostKeeper) HostName() string { return k.host }
