package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"net/url"
	"strconv"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// appName is what the customer's DBA sees in sys.dm_exec_sessions.
const appName = "Tidemark"

// packetSize is asked for in the login; it gained 5 to 15 % over the
// driver's 4096 when draining rows.
const packetSize = 16384

// dsn is the connection string of c. What protects the connection is always
// said explicitly, because the driver's defaults depend on each other:
// without encrypt it trusts any certificate.
func (c Config) dsn() (string, error) {
	q := url.Values{}
	q.Set("app name", appName)
	q.Set("packet size", strconv.Itoa(packetSize))
	q.Set("tlsmin", "1.2")
	q.Set("connection timeout", "0") // deadlines come from contexts
	q.Set("TrustServerCertificate", strconv.FormatBool(c.TrustServerCertificate))
	q.Set("multisubnetfailover", strconv.FormatBool(c.MultiSubnetFailover))
	switch c.Encrypt {
	case EncryptStrict:
		q.Set("encrypt", "strict")
	case EncryptAll, "":
		q.Set("encrypt", "true")
	case EncryptLogin:
		q.Set("encrypt", "false")
	case EncryptOff:
		q.Set("encrypt", "disable")
	default:
		return "", errors.New("encrypt is " + strconv.Quote(string(c.Encrypt)) + `, not "strict", "true", "login" or "off"`)
	}
	if c.Encrypt == EncryptStrict && c.TrustServerCertificate {
		return "", errors.New("strict encryption always checks the server's certificate")
	}
	if c.ServerCertificate != "" && (c.CA != "" || c.HostNameInCertificate != "") {
		return "", errors.New("a pinned server certificate excludes a CA and a host name in the certificate")
	}
	if c.ReadOnlyIntent && c.Database == "" {
		return "", errors.New("read-only intent needs the database's name")
	}
	said := map[string]string{"database": c.Database, "hostnameincertificate": c.HostNameInCertificate}
	if c.Authentication == AuthenticateEntra { // the driver makes that connector of this text alone; else see trust
		said["certificate"], said["serverCertificate"] = c.CA, c.ServerCertificate
	}
	for key, value := range said {
		if value != "" {
			q.Set(key, value)
		}
	}
	if err := c.authenticate(q); err != nil {
		return "", err
	}
	if c.ReadOnlyIntent {
		q.Set("ApplicationIntent", "ReadOnly")
	}
	u := url.URL{Scheme: "sqlserver", Host: c.Server, RawQuery: q.Encode()}
	if ip := net.ParseIP(c.Server); ip != nil && ip.To4() == nil {
		u.Host = "[" + c.Server + "]"
	}
	if c.Port != 0 {
		u.Host = net.JoinHostPort(c.Server, strconv.Itoa(c.Port))
	} else if c.Instance != "" {
		u.Path = "/" + c.Instance
	}
	if c.User != "" {
		u.User = url.UserPassword(c.User, c.Password)
	}
	return u.String(), nil
}

// connector is go-mssqldb's, made to keep to the context until the login is
// done: of itself it waits for the server's first answers without limit.
type connector struct {
	mssql *mssql.Connector
}

// connectTime is for a connection from the first packet to the end of the
// login, also where database/sql opens it on its own account, without a
// deadline.
const connectTime = 20 * time.Second

// connectionString is what the driver is given.
func (c Config) connectionString() (string, error) {
	if c.DSN != "" {
		return protected(c.DSN)
	}
	return c.dsn()
}

func newConnector(c Config) (*connector, error) {
	if c.DSN == "" && c.Server == "" {
		return nil, errors.New("no server is named")
	}
	dsn, err := c.connectionString()
	if err != nil {
		return nil, err
	}
	params, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, err
	}
	var federated *mssql.Connector
	if params.Parameters["fedauth"] != "" {
		if federated, err = newFederated(dsn, params); err != nil {
			return nil, err
		}
	}
	if _, named := params.Parameters["app name"]; !named {
		params.AppName = appName
	}
	if params.PacketSize == 0 {
		params.PacketSize = packetSize
	}
	params.Encoding.GuidConversion = false // values are decoded here, in wire order
	params.Encoding.Timezone = time.UTC
	params.ColumnEncryption = false
	if federated == nil && c.DSN == "" {
		if err := c.trust(params.TLSConfig); err != nil {
			return nil, err
		}
	}
	m := federated
	if m == nil {
		m = mssql.NewConnectorConfig(params)
	}
	switch d := c.Dialer.(type) {
	case nil:
		m.Dialer = watched{&net.Dialer{KeepAlive: 30 * time.Second}}
	case mssql.HostDialer:
		m.Dialer = watchedHost{watched{d}, d.HostName()}
	default:
		m.Dialer = watched{d}
	}
	return &connector{m}, nil
}

// Driver is go-mssqldb's.
func (c *connector) Driver() driver.Driver { return c.mssql.Driver() }

// Connect logs in. When ctx ends first, the network connection is closed
// under the driver, which ends its wait.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	w := &watch{}
	stop := context.AfterFunc(ctx, w.close)
	conn, err := c.login(context.WithValue(ctx, watchKey{}, w))
	stop()
	if ctxErr := ctx.Err(); ctxErr != nil {
		w.close()
		return nil, &connectError{ctxErr, err}
	}
	if err != nil {
		w.close() // the driver leaves it open where it panics
		return nil, &connectError{cause: err}
	}
	return &session{conn.(*mssql.Conn), w}, nil
}

func (c *connector) login(ctx context.Context) (conn driver.Conn, err error) {
	defer panicked(&err)
	return c.mssql.Connect(ctx)
}

// A session is a connection of go-mssqldb and the network under it.
type session struct {
	*mssql.Conn
	net *watch
}

// Close closes the network, in place of the driver's Close. That one gives the
// connection's buffers to the next connection, although after a failure its
// own reader may still be at work in them: one session's bytes would turn up
// in another's rows.
func (s *session) Close() error {
	s.net.close()
	return nil
}

// A connectError is any failure before the login was done.
type connectError struct {
	ctx   error // why the context ended; nil if it did not
	cause error
}

func (e *connectError) Error() string {
	switch {
	case e.ctx == nil:
		return e.cause.Error()
	case e.cause == nil:
		return e.ctx.Error()
	}
	return e.ctx.Error() + ": " + e.cause.Error()
}

func (e *connectError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.ctx, e.cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
