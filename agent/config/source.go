package config

// A Source is one database of one SQL Server instance with its tables. Either
// DSN is set or the fields from Server to MultiSubnetFailover are.
type Source struct {
	Name string `yaml:"name"` // unique; "main" where there is only one

	Server   string `yaml:"server"`                // host name or address
	Port     int    `yaml:"port" range:"1..65535"` // 1433, or with instance asked of the browser service
	Instance string `yaml:"instance"`              // named instance
	Database string `yaml:"database"`              // its name on that server
	User     string `yaml:"user"`                  // "" is the service's own Windows account
	Password Secret `yaml:"password"`              // a reference to it

	// Encrypt is "strict" (TDS 8), "true" (the whole connection), "login"
	// (only the login) or "off".
	Encrypt                string `yaml:"encrypt" enum:"strict,true,login,off"`
	TrustServerCertificate bool   `yaml:"trust_server_certificate"`       // encrypted, but to whoever answers
	CA                     string `yaml:"ca" path:"file"`                 // PEM certificates to trust
	ServerCertificate      string `yaml:"server_certificate" path:"file"` // the one certificate to accept, PEM or DER
	HostNameInCertificate  string `yaml:"hostname_in_certificate"`        // where it differs from the server's name
	ReadOnlyIntent         bool   `yaml:"read_only_intent"`               // a readable secondary will do
	MultiSubnetFailover    bool   `yaml:"multi_subnet_failover"`          // try all addresses of the name at once
	DSN                    Secret `yaml:"dsn"`                            // connection string of go-mssqldb, instead
	Connections            int    `yaml:"connections" range:"1..8"`       // at most, at the same time

	Pace `yaml:",inline"`

	Tables []Table `yaml:"-"` // at least one
}

// A Table is one table to keep in the cloud.
type Table struct {
	Name    TableName `yaml:"name"`    // at the source: orders (schema dbo), sales.orders, or in brackets
	Dataset string    `yaml:"dataset"` // its name in the cloud; unique
	Enabled bool      `yaml:"enabled"` // false keeps the entry and leaves the table alone

	// ExcludeColumns are never read. Key columns cannot be excluded.
	ExcludeColumns []string `yaml:"exclude_columns"`

	Pace `yaml:",inline"`
}
