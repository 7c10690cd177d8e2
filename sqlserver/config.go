package sqlserver

import (
	"context"
	"net"
	"time"
)

// Encrypt says what of a connection is encrypted.
type Encrypt string

// The kinds of encryption. Where the zero value is used, it means EncryptAll.
const (
	EncryptStrict Encrypt = "strict" // TDS 8: TLS before the first byte (SQL Server 2022)
	EncryptAll    Encrypt = "true"   // TLS for the whole connection; servers without it are refused
	EncryptLogin  Encrypt = "login"  // TLS for the login packet; the rest only if the server insists
	EncryptOff    Encrypt = "off"    // none, also not for the password
)

// A Dialer makes the network connection, in place of the system's.
type Dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Config is how to reach one database and how hard to work it. Either DSN
// is set or the fields from Server to MultiSubnetFailover are.
type Config struct {
	DSN string // connection string in any form that go-mssqldb reads

	Server   string // host name or address
	Port     int    // 0: 1433, or asked of the browser service for Instance
	Instance string // named instance; ignored where Port is set
	Database string
	User     string
	Password string

	Authentication Authentication
	Kerberos       Kerberos
	Entra          Entra
	ServerSPN      string // of the server; "" is MSSQLSvc/host:port

	Encrypt                Encrypt
	TrustServerCertificate bool   // do not check the server's certificate
	CA                     string // file with certificates to trust in place of the system's, PEM or DER; for Entra ID by its name, .pem or .der
	ServerCertificate      string // file with the one certificate to accept, PEM or DER; excludes CA
	HostNameInCertificate  string // where it differs from Server; excludes ServerCertificate
	ReadOnlyIntent         bool   // ApplicationIntent=ReadOnly; needs Database
	MultiSubnetFailover    bool   // try all addresses of the name at once

	Dialer      Dialer // nil: the system's
	Connections int    // at most, at the same time; 0 means 2
	Limits      Limits // where a reader is not given its own
}

// Limits bound one statement and one chunk. Zero values mean the default.
type Limits struct {
	QueryTime        time.Duration // aimed at for one chunk; 500 ms
	StatementTimeout time.Duration // then a statement is given up; 30 s
	LockTimeout      time.Duration // then a wait for a lock is given up; 5 s; below 0 means not to wait
	ChunkRows        int           // rows in a chunk at most; 50,000
	ChunkBytes       int           // bytes of row lines in a chunk at most, but for its last row; 4 MiB
	RowBytes         int64         // a row with more bytes in its large values, or in its line, is reported and not delivered; 16 MiB
}

// Defaults of Limits. DefaultMinRows is where a chunk that is too slow stops
// shrinking.
const (
	DefaultQueryTime        = 500 * time.Millisecond
	DefaultStatementTimeout = 30 * time.Second
	DefaultLockTimeout      = 5 * time.Second
	DefaultMinRows          = 64
	DefaultChunkRows        = 50_000
	DefaultChunkBytes       = 4 << 20
	DefaultRowBytes         = 16 << 20
)

// or returns l with what it leaves open taken from d.
func (l Limits) or(d Limits) Limits {
	if l.QueryTime <= 0 {
		l.QueryTime = d.QueryTime
	}
	if l.StatementTimeout <= 0 {
		l.StatementTimeout = d.StatementTimeout
	}
	if l.LockTimeout == 0 {
		l.LockTimeout = d.LockTimeout
	}
	if l.ChunkRows <= 0 {
		l.ChunkRows = d.ChunkRows
	}
	if l.ChunkBytes <= 0 {
		l.ChunkBytes = d.ChunkBytes
	}
	if l.RowBytes <= 0 {
		l.RowBytes = d.RowBytes
	}
	return l
}

var defaultLimits = Limits{
	QueryTime:        DefaultQueryTime,
	StatementTimeout: DefaultStatementTimeout,
	LockTimeout:      DefaultLockTimeout,
	ChunkRows:        DefaultChunkRows,
	ChunkBytes:       DefaultChunkBytes,
	RowBytes:         DefaultRowBytes,
}
