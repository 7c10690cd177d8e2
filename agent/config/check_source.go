package config

import (
	"fmt"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

var sourceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// maxDataset is the length of a dataset's name in bytes that the cloud takes.
const maxDataset = 512

// checkSources checks each source, and that no dataset is named twice over
// all of them.
func checkSources(d *decoder, c *Config) {
	if d.has("sources") && len(c.Sources) == 0 && !d.broken("sources") && !d.has("source") {
		d.reportField("sources", Problem{Message: "sources is empty", Expected: "at least one source"})
	}
	several := d.has("sources")
	names := map[string]string{}
	datasets := map[string]string{}
	for i, s := range c.Sources {
		path := "source"
		if several {
			path = fmt.Sprintf("sources[%d]", i)
			if d.require(path+".name", `a short name such as "branch-7"`) {
				d.unique(names, s.Name, path+".name", "source")
			}
		}
		if d.has(path+".name") && !d.broken(path+".name") && !sourceName.MatchString(s.Name) {
			d.reportField(path+".name", Problem{Message: fmt.Sprintf("name: %q cannot be a source's name", s.Name), Expected: "1 to 32 letters, digits, dashes or underscores"})
		}
		checkConnection(d, path, s)
		checkPace(d, path, s.Pace)
		checkTables(d, path, s, datasets)
	}
}

// unique reports a name that stands at another place already.
func (d *decoder) unique(seen map[string]string, name, path, what string) {
	key := strings.ToLower(name)
	first, twice := seen[key]
	if !twice {
		seen[key] = path
		return
	}
	at := d.at[first]
	if at.line == 0 {
		at = d.keys[parent(first)]
	}
	d.reportField(path, Problem{
		Message: fmt.Sprintf("two %ss are named %q", what, name),
		Hint:    fmt.Sprintf("the other one is in line %d", at.line),
	})
}

// connection lists the fields that a dsn replaces.
var connection = []string{
	"server", "port", "instance", "database", "user", "password", "authentication", "kerberos", "entra", "spn", "encrypt", "trust_server_certificate",
	"ca", "server_certificate", "hostname_in_certificate", "read_only_intent", "multi_subnet_failover",
}

func checkConnection(d *decoder, path string, s Source) {
	if d.has(path + ".dsn") {
		for _, f := range connection {
			if d.has(path + "." + f) {
				d.reportField(path+"."+f, Problem{Message: fmt.Sprintf("%s has no effect beside dsn", f), Hint: "write it into the dsn, or leave the dsn out"})
			}
		}
		if s.DSN.literal() && holdsPassword(s.DSN.get().text) {
			d.onlyReference(path+".dsn", s.DSN)
		}
		return
	}
	if d.broken(path+".server") && !d.has(path+".tables") {
		return
	}
	d.require(path+".server", "the host name of the SQL Server")
	d.require(path+".database", "the database's name")
	if d.has(path+".port") && d.has(path+".instance") {
		d.reportField(path+".instance", Problem{Message: "there are both port and instance", Expected: "one of them", Hint: "the port is enough, and needs no browser service"})
	}
	checkLogin(d, path, s)
	d.onlyReference(path+".password", s.Password)
	if s.TrustServerCertificate && (s.CA != "" || s.ServerCertificate != "") {
		d.reportField(path+".trust_server_certificate", Problem{Message: "trust_server_certificate makes ca and server_certificate useless", Expected: "one of them"})
	}
	if s.CA != "" && s.ServerCertificate != "" {
		d.reportField(path+".server_certificate", Problem{Message: "there are both ca and server_certificate", Expected: "one of them"})
	}
}

// checkLogin holds user and password against the kind of authentication.
func checkLogin(d *decoder, path string, s Source) {
	if d.broken(path + ".authentication") {
		return
	}
	hasUser, hasPassword := d.has(path+".user"), d.has(path+".password")
	domain := strings.Contains(s.User, `\`)
	if s.Authentication != "entra" && d.has(path+".entra") {
		d.reportField(path+".entra", Problem{Message: "entra has no effect without authentication: entra"})
	}
	switch s.Authentication {
	case "kerberos":
		checkKerberos(d, path, s, hasUser, hasPassword)
		return
	case "entra":
		checkEntra(d, path, s, hasUser, hasPassword)
		return
	}
	if d.has(path + ".kerberos") {
		d.reportField(path+".kerberos", Problem{Message: "kerberos has no effect without authentication: kerberos"})
	}
	switch {
	case s.Authentication == "sql" && domain:
		d.reportField(path+".user", Problem{Message: `user: DOMAIN\name is no login of the server`, Expected: "a login", Hint: "authentication: windows is for accounts of a domain"})
	case s.Authentication == "windows" && hasUser && !domain:
		d.reportField(path+".user", Problem{Message: fmt.Sprintf("user: %q names no domain", s.User), Expected: `DOMAIN\name`, Hint: "without user and password the service's own account logs in, on Windows"})
	}
	switch {
	case hasUser && !hasPassword:
		d.require(path+".password", "a reference to the user's password, such as ${secret:sql.password}")
	case hasPassword && !hasUser:
		d.require(path+".user", "the login that the password is for")
	case !hasUser && s.Authentication == "sql":
		d.require(path+".user", "the login's name")
	case !hasUser && runtime.GOOS != "windows":
		d.require(path+".user", "the login's name; only on Windows can the service's own account log in")
	}
}

func checkKerberos(d *decoder, path string, s Source, hasUser, hasPassword bool) {
	keytab, cache := d.has(path+".kerberos.keytab"), d.has(path+".kerberos.cache")
	switch {
	case strings.Contains(s.User, `\`):
		d.reportField(path+".user", Problem{Message: `user: Kerberos knows no DOMAIN\name`, Expected: "name@REALM, or name and kerberos.realm"})
	case hasPassword && keytab:
		d.reportField(path+".kerberos.keytab", Problem{Message: "there are both password and keytab", Expected: "one of them"})
	case cache && (hasPassword || keytab):
		d.reportField(path+".kerberos.cache", Problem{Message: "with a password or a keytab no cache of tickets is used", Expected: "one of them"})
	case (hasPassword || keytab) && !hasUser:
		d.require(path+".user", "whose password or keytab it is: name@REALM")
	}
}

// holdsPassword tells whether a connection string has a password in it. When
// in doubt it does.
func holdsPassword(dsn string) bool {
	if u, err := url.Parse(dsn); err == nil && u.Scheme == "sqlserver" {
		_, has := u.User.Password()
		return has || u.Query().Has("password")
	}
	text := strings.ToLower(strings.ReplaceAll(dsn, " ", ""))
	return strings.Contains(text, "password=") || strings.Contains(text, "pwd=") || strings.Contains(text, "://")
}

func checkTables(d *decoder, path string, s Source, datasets map[string]string) {
	list := path + ".tables"
	if !d.require(list, `a list of tables: lines such as "- dbo.orders"`) || d.broken(list) {
		return
	}
	if len(s.Tables)+len(s.Patterns) == 0 {
		d.reportField(list, Problem{Message: "tables is empty", Expected: "at least one table"})
	}
	tables := map[string]string{}
	for i, g := range s.Patterns {
		checkGroup(d, fmt.Sprintf("%s[%d]", list, d.patterns[list][i]), g)
	}
	if len(s.Patterns) == 0 && d.has(path+".exclude_tables") {
		d.reportField(path+".exclude_tables", Problem{Message: "exclude_tables has no effect without a pattern among the tables"})
	}
	for i, t := range s.Tables {
		at := fmt.Sprintf("%s[%d]", list, d.named[list][i])
		if !d.has(at) && !d.broken(at) { // "- " alone
			d.reportField(at, Problem{Message: "an empty entry", Expected: (*tableWord)(nil).expected()})
			continue
		}
		if d.broken(at) || d.broken(at+".name") || !d.require(at+".name", (*tableWord)(nil).expected()) {
			continue
		}
		d.unique(tables, t.Name.String(), at+".name", "table")
		named := at + ".dataset"
		if !d.has(named) {
			named = at + ".name"
		}
		if !canBeDataset(t.Dataset) {
			d.reportField(named, Problem{
				Message:  fmt.Sprintf("%q cannot be a dataset's name", t.Dataset),
				Expected: fmt.Sprintf("1 to %d bytes without control characters and without blanks at the ends", maxDataset), Hint: `"dataset" gives the table another name in the cloud`,
			})
		} else if !d.reportedTwice(tables, t.Name.String(), at+".name") {
			d.unique(datasets, t.Dataset, named, "dataset")
		}
		checkHashKey(d, at)
		checkPace(d, at, t.Pace)
	}
}

// checkGroup refuses what can be said of one table alone.
func checkGroup(d *decoder, at string, g Group) {
	if d.has(at + ".dataset") {
		d.reportField(at+".dataset", Problem{
			Message: "dataset is of one table, and this is a pattern",
			Hint:    "a table that has an entry of its own besides is not taken by the pattern",
		})
	}
	checkHashKey(d, at)
	checkPace(d, at, g.Table.Pace)
}

func checkHashKey(d *decoder, at string) {
	if d.has(at+".hash_columns") && !d.has("hash_key") && !d.broken("hash_key") {
		d.reportField(at+".hash_columns", Problem{
			Message: "hash_columns needs a hash_key", Expected: "at the top of the file: hash_key: ${secret:hash.key}",
			Hint: "`tidemark secret set hash.key` keeps one: 16 characters or more that nobody can guess",
		})
	}
}

// reportedTwice tells that the table at path was reported as a repetition of
// another: its dataset then is one too.
func (d *decoder) reportedTwice(seen map[string]string, name, path string) bool {
	return seen[strings.ToLower(name)] != path
}

// canBeDataset tells whether the cloud takes the name. "*" means every table
// in the operator's policy.
func canBeDataset(name string) bool {
	return len(name) <= maxDataset && name != "*" && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, unicode.IsControl) && strings.TrimSpace(name) == name
}
