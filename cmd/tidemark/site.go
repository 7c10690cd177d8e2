package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/internal/fault"
	"tidemark/scheduler"
	"tidemark/sqlserver"
	"tidemark/uploader"
)

// openSite makes what the agent works with from the configuration: a client
// of the cloud and one source for each database. Nothing is connected yet. On
// an error nothing is left open.
func openSite(c *config.Config) (site agent.Site, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, site.Close())
		}
	}()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	site = agent.Site{Customer: c.Customer, Host: host, Running: c.Parallel, Unprotected: unprotected(c)}
	hashKey, err := c.HashKey.Value()
	if err == nil && hashKey != "" && len(hashKey) < sqlserver.MinHashKey {
		err = fmt.Errorf("it has less than %d characters", sqlserver.MinHashKey)
	}
	if err != nil {
		return site, fault.New("read hash_key", err, "see hash_key in the configuration")
	}
	client, err := openCloud(c)
	if err != nil {
		return site, err
	}
	site.Cloud = client
	for _, s := range c.Sources {
		sql, err := openSource(s)
		if err != nil {
			return site, err
		}
		open := agent.SourceSite{Name: s.Name, Source: sql, Running: s.Connections}
		for _, t := range s.Tables {
			ts := tableSite(t)
			ts.HashKey = hashKey
			open.Tables = append(open.Tables, ts)
		}
		site.Sources = append(site.Sources, open)
	}
	return site, nil
}

func openCloud(c *config.Config) (*uploader.Client, error) {
	proxy, err := c.Cloud.Proxy.Value()
	if err != nil {
		return nil, fault.New("configure the cloud client", err, "see cloud.proxy in the configuration")
	}
	return uploader.New(uploader.Config{
		BaseURL:   c.Cloud.URL,
		Customer:  c.Customer,
		Key:       c.Cloud.Key.Value,
		UserAgent: "tidemark/" + build(),
		TLS: uploader.TLS{
			CA: c.Cloud.CA, Certificate: c.Cloud.ClientCert, Key: c.Cloud.ClientKey, Pin: c.Cloud.Pin, Pins: c.Cloud.Pins,
		},
		Proxy:                   proxy,
		BandwidthBytesPerSecond: int64(c.Cloud.Bandwidth),
	})
}

func openSource(s config.Source) (*sqlserver.Source, error) {
	password, err := s.Password.Value()
	if err != nil {
		return nil, fault.New("open source "+s.Name, err, "see password in the configuration")
	}
	dsn, err := s.DSN.Value()
	if err != nil {
		return nil, fault.New("open source "+s.Name, err, "see dsn in the configuration")
	}
	return sqlserver.Open(sourceConfig(s, password, dsn))
}

func sourceConfig(s config.Source, password, dsn string) sqlserver.Config {
	if dsn != "" { // which then says all of it
		return sqlserver.Config{DSN: dsn, Connections: s.Connections, Limits: limits(s.Limits)}
	}
	return sqlserver.Config{
		Server: s.Server, Port: s.Port, Instance: s.Instance, Database: s.Database, User: s.User, Password: password,
		Encrypt: sqlserver.Encrypt(s.Encrypt), TrustServerCertificate: s.TrustServerCertificate,
		CA: s.CA, ServerCertificate: s.ServerCertificate, HostNameInCertificate: s.HostNameInCertificate,
		ReadOnlyIntent: s.ReadOnlyIntent, MultiSubnetFailover: s.MultiSubnetFailover,
		Authentication: sqlserver.Authentication(s.Authentication), ServerSPN: s.SPN,
		Kerberos:    sqlserver.Kerberos{Config: s.Kerberos.Config, Keytab: s.Kerberos.Keytab, Cache: s.Kerberos.Cache, Realm: s.Kerberos.Realm},
		Entra:       sqlserver.Entra{Method: sqlserver.EntraMethod(s.Entra.Method), Certificate: s.Entra.Certificate},
		Connections: s.Connections,
		Limits:      limits(s.Limits),
	}
}

// asRead is a table of the catalog as it is read: without what is excluded and
// with what is hashed, under some key.
func asRead(t *sqlserver.Table, c config.Table) (*sqlserver.Table, error) {
	exclude, hash := c.ExcludeColumns, c.HashColumns
	if c.ByPattern {
		exclude = t.Having(exclude)
	}
	t, err := t.Without(exclude)
	if err != nil {
		return nil, err
	}
	if c.ByPattern {
		hash = t.Having(hash)
	}
	return t.Hashed(hash, strings.Repeat("x", sqlserver.MinHashKey))
}

func tableSite(t config.Table) agent.TableSite {
	site := agent.TableSite{
		Dataset: t.Dataset, Schema: t.Name.Schema, Name: t.Name.Name, Exclude: t.ExcludeColumns, Hash: t.HashColumns, Group: t.ByPattern,
		Interval: t.Interval, ForcedSkips: t.ForcedSkips, MaxSkips: t.MaxSkips, VerifyEvery: t.VerifyEvery,
		Limits: limits(t.Limits),
	}
	if !t.Enabled {
		site.Disabled = "enabled: false in the configuration"
	}
	if len(t.Windows) > 0 {
		var windows scheduler.Windows
		for _, w := range t.Windows {
			windows = append(windows, scheduler.Window{Days: w.Days, From: w.From, To: w.To, Zone: w.Zone})
		}
		site.Open = windows.Contain
	}
	return site
}

func limits(l config.Limits) sqlserver.Limits {
	lock := l.LockTimeout
	if lock == 0 {
		lock = -1 // not to wait at all
	}
	return sqlserver.Limits{
		QueryTime: l.QueryTime, StatementTimeout: l.StatementTimeout, LockTimeout: lock,
		ChunkRows: l.BatchRows, ChunkBytes: int(l.BatchBytes), RowBytes: int64(l.RowBytes),
	}
}
