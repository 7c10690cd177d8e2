package cloud

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are networks of what stands in front of a server, and is believed
// when it tells whom it passes on.
type Proxies []netip.Prefix

// Handler has next see the address that a request was sent from as its
// RemoteAddr, which is the proxy's own where nothing else is told.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from := p.sender(r.RemoteAddr, r.Header.Values("X-Forwarded-For")); from != r.RemoteAddr {
			r = r.WithContext(r.Context()) // a copy
			r.RemoteAddr = from
		}
		next.ServeHTTP(w, r)
	})
}

// sender is who is the first behind the proxies, from the end of what they have
// written: in front of that is what anybody may have sent. Its port is 0 where
// it is not told.
func (p Proxies) sender(peer string, forwarded []string) string {
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return peer
	}
	rest := strings.Join(forwarded, ",")
	for found := true; found && p.has(at.Addr()); {
		var last string
		if i := strings.LastIndexByte(rest, ','); i >= 0 {
			rest, last = rest[:i], rest[i+1:]
		} else {
			last, found = rest, false
		}
		hop, ok := readHop(strings.TrimSpace(last))
		if !ok {
			break
		}
		at = hop
	}
	return at.String()
}

// readHop reads an address as proxies write it, with or without a port.
func readHop(s string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at, true
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return netip.AddrPortFrom(ip, 0), err == nil
}

func (p Proxies) has(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(ip.Unmap().WithZone("")) })
}
