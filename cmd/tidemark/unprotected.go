package main

import (
	"net/netip"
	"net/url"

	"tidemark/agent"
	"tidemark/agent/config"
)

// unprotected lists the connections on which the configuration has turned
// protection off. What does not leave the machine needs none.
func unprotected(c *config.Config) (all []agent.Unprotected) {
	if u, err := url.Parse(c.Cloud.URL); err == nil && u.Scheme == "http" && !onThisMachine(u.Hostname()) {
		all = append(all, agent.Unprotected{
			Connection: "cloud", Message: "nothing is encrypted: others can read the key and the rows, and stand in for the cloud",
			Hint: "cloud.url with https",
		})
	}
	for _, s := range c.Sources {
		dsn, err := s.DSN.Value()
		if err != nil {
			continue // told where it is opened
		}
		password := "" // which it is does not matter
		if !s.Password.IsZero() {
			password = "x"
		}
		if why := sourceConfig(s, password, dsn).Unprotected(); why != "" {
			all = append(all, agent.Unprotected{
				Connection: "source " + s.Name, Message: why,
				Hint: `encrypt: "true" without trust_server_certificate; name a certificate of the server's own in server_certificate, or its authority in ca`,
			})
		}
	}
	return all
}

// protectionFindings are doctor's.
func protectionFindings(c *config.Config) (all []finding) {
	for _, u := range unprotected(c) {
		all = append(all, finding{What: "protection of the connection to " + u.Connection, Verdict: advice, Message: u.Message, Hint: u.Hint})
	}
	return all
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
