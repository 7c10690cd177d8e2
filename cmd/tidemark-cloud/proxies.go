package main

import (
	"errors"
	"net/netip"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// readProxies reads --behind-proxy: addresses and networks.
func readProxies(texts []string) (cloud.Proxies, error) {
	var all cloud.Proxies
	for _, text := range texts {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			var ip netip.Addr
			if ip, err = netip.ParseAddr(text); err == nil {
				n, err = ip.Prefix(ip.BitLen())
			}
		}
		switch {
		case err != nil:
		case n.Bits() == 0:
			err = errors.New(text + " is everybody, who could then say to be anybody")
		case n.Addr().Is4In6():
			err = errors.New(text + " is IPv4 written as IPv6: write it as IPv4")
		}
		if err != nil {
			return nil, &command.ConfigError{Err: fault.New("read --behind-proxy", err, "it takes addresses and networks, such as 127.0.0.1 or 10.0.0.0/24")}
		}
		all = append(all, n.Masked())
	}
	return all, nil
}
