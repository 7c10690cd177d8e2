package config

// A Source is one database of one SQL Server instance with its tables. Either
// DSN is set or the fields from Server to MultiSubnetFailover are.
type Source struct {
	Name string `yaml:"name"` // unique; "main" where there is only one

	Server   string `yaml:"server"`                // host name or address
	Port     int    `yaml:"port" range:"1..65535"` // 1433, or with instance asked of the browser service
	Instance string `yaml:"instance"`              // named instance
	Database string `yaml:"database"`              // its name on that server
	// User is a login of the server; with Windows DOMAIN\name, or nobody for
	// the service's own account; with Kerberos name@REALM.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"` // a reference to it

	// Authentication is "sql", "windows", "kerberos" or "entra". Where it is not
	// given, a user without a domain is a login of the server.
	Authentication string   `yaml:"authentication" enum:"sql,windows,kerberos,entra"`
	Kerberos       Kerberos `yaml:"kerberos"`
	Entra          Entra    `yaml:"entra"`
	SPN            string   `yaml:"spn"` // of the server, where it is not MSSQLSvc/host:port

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

	// ExcludeTables are tables that no pattern takes, such as dbo.*_log.
	ExcludeTables []Pattern `yaml:"exclude_tables"`

	Pace `yaml:",inline"`

	// Tables are those that are named and, once Expand was called, those that
	// patterns take. With Patterns there is at least one.
	Tables   []Table `yaml:"-"`
	Patterns []Group `yaml:"-"`

	named int // of Tables
}

// Kerberos is where the tickets of a source's user come from.
type Kerberos struct {
	Config string `yaml:"config" path:"file"` // /etc/krb5.conf, or what KRB5_CONFIG names
	Keytab string `yaml:"keytab" path:"file"` // the user's keys, in place of a password
	Cache  string `yaml:"cache" path:"any"`   // tickets that somebody else renews, in place of both
	Realm  string `yaml:"realm"`              // of the user; the default realm
}

// Entra is which identity of Entra ID logs in.
type Entra struct {
	// Method is "service-principal": user is its id, with @tenant where that is
	// not the server's, and has a password or a certificate;
	// "managed-identity": the machine's, user is the client id where it has
	// several; or "default", which is what the environment offers.
	Method      string `yaml:"method" enum:"default,service-principal,managed-identity"`
	Certificate string `yaml:"certificate" path:"file"` // with its key, PEM or PKCS#12, in place of a password
}

// A Group is all tables of a pattern, and what the file says of them. The first
// pattern counts, and what a table's own entry says before all of them.
type Group struct {
	Pattern Pattern
	Table   Table // without name and dataset
}

// A Table is one table to keep in the cloud.
type Table struct {
	Name    TableName `yaml:"-"`
	Dataset string    `yaml:"dataset"` // its name in the cloud; unique
	Enabled bool      `yaml:"enabled"` // false keeps the entry and leaves the table alone

	// ByPattern tells that a pattern took the table: what it lacks of the
	// pattern's columns is no mistake.
	ByPattern bool `yaml:"-"`

	// ExcludeColumns are never read: names, or patterns such as *_note. Key
	// columns cannot be excluded.
	ExcludeColumns []string `yaml:"exclude_columns"`
	// HashColumns go out as HMAC-SHA-256 under hash_key, 64 digits: equal
	// values stay equal, and nobody can read them. Names or patterns; key
	// columns cannot be hashed.
	HashColumns []string `yaml:"hash_columns"`

	Pace `yaml:",inline"`
}
