package egress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrBlocked is wrapped by every [BlockedError].
var ErrBlocked = errors.New("address is not allowed")

// A BlockedError says that an address must not be dialled. Nothing was sent to
// it, nor to any other address that its name has.
type BlockedError struct {
	Addr  netip.AddrPort // what was about to be dialled
	Plain bool           // the address is public, but the request has no TLS
	Port  bool           // the address is public, but the port is not one of those that may be reached
}

// Error says what was blocked.
func (e *BlockedError) Error() string {
	switch {
	case e.Plain:
		return fmt.Sprintf("%v: %v without TLS", ErrBlocked, e.Addr)
	case e.Port:
		return fmt.Sprintf("%v: %v has an unusual port", ErrBlocked, e.Addr)
	}
	return fmt.Sprintf("%v: %v", ErrBlocked, e.Addr)
}

// Unwrap returns [ErrBlocked].
func (e *BlockedError) Unwrap() error { return ErrBlocked }

// Hint says what the operator can do about it.
func (e *BlockedError) Hint() string {
	switch {
	case e.Plain:
		return "use https, or add the address to egress.allow"
	case e.Port:
		return "add the port to egress.ports if it is meant to be reached"
	}
	return "add the address to egress.allow if it is meant to be reached"
}

// A Permit lets requests reach what the operator wrote. Permits are comparable,
// and the zero Permit lets nothing be reached that others may not.
type Permit struct {
	// addrs need be neither public nor spoken to with TLS. There are two, for
	// localhost.
	addrs [2]netip.AddrPort
	// port may be reached at public addresses; 0 means none besides the usual.
	port uint16
}

// PermitLiteral returns a permit for exactly the address and port that u names
// by a literal IP address or as localhost. If it names something else by an
// unusual port, that port is permitted, and no address. Give it only URLs that
// the operator wrote; one that came through an API must never permit anything.
func PermitLiteral(u *url.URL) Permit {
	parsed, err := strconv.ParseUint(cmp.Or(u.Port(), defaultPort(u.Scheme)), 10, 16)
	if err != nil {
		return Permit{}
	}
	port := uint16(parsed)
	at := func(ip netip.Addr) netip.AddrPort { return netip.AddrPortFrom(ip, port) }
	if strings.EqualFold(u.Hostname(), "localhost") {
		return Permit{addrs: [2]netip.AddrPort{at(netip.AddrFrom4([4]byte{127, 0, 0, 1})), at(netip.IPv6Loopback())}}
	}
	// Only the usual notation is a literal: 127.1 and 0x7f000001 are names here,
	// whatever a resolver may think of them.
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case err == nil:
		return Permit{addrs: [2]netip.AddrPort{at(ip.Unmap())}}
	case u.Scheme == "https" && !slices.Contains(usualPorts(), port):
		return Permit{port: port}
	}
	return Permit{}
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// usualPorts are those of public addresses that may be reached by default.
func usualPorts() []uint16 { return []uint16{443, 8443} }

func (p Permit) holds(addr netip.AddrPort) bool {
	return addr == p.addrs[0] || addr == p.addrs[1]
}

// A policy says which addresses may be reached without a permit.
type policy struct {
	allow  []Rule
	ports  []uint16 // of public addresses
	public *ssrf.Guardian
}

func newPolicy(allow []Rule, ports []uint16) *policy {
	p := &policy{
		ports: append(usualPorts(), ports...),
		// The guardian denies what IANA registers as special, and of IPv6 all
		// but 2000::/3, which is everything that is in use.
		public: ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(
			// A public address, but the same machine service in every Azure network.
			netip.MustParsePrefix("168.63.129.16/32"),
		)),
	}
	for _, rule := range allow {
		p.allow = append(p.allow, rule.unmapped())
	}
	return p
}

// judge reports whether addr is in an allowed range, and if not, whether it is
// public. An address that only wraps an IPv4 address is judged by that one: it
// is where the packets go.
func (p *policy) judge(addr netip.AddrPort) (allowed, public bool) {
	ip := addr.Addr().Unmap().WithZone("")
	addr = netip.AddrPortFrom(ip, addr.Port())
	if slices.ContainsFunc(p.allow, func(r Rule) bool { return r.covers(addr) }) {
		return true, false
	}
	if ssrf.IPv6NAT64Prefix.Contains(ip) {
		b := ip.As16()
		return p.judge(netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:])), addr.Port()))
	}
	// 6to4, Teredo and IPv4-compatible addresses wrap one as well. They are out
	// of use, and denied whatever they wrap.
	return false, p.public.SafeAddr(ip) == nil
}

// A guard stands before each connection of a pool.
type guard struct {
	policy *policy
	pool   pool
}

// control is a [net.Dialer.ControlContext]: it sees the concrete address, when
// the socket is made and nothing is sent yet.
func (g *guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %q", ErrBlocked, network, address)
	}
	return g.check(addr)
}

// check returns a [BlockedError] unless addr may be dialled.
func (g *guard) check(addr netip.AddrPort) error {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	permit := g.pool.permit
	if permit.holds(addr) {
		return nil
	}
	allowed, public := g.policy.judge(addr)
	switch {
	case allowed:
		return nil
	case !public, g.pool.plain:
		return &BlockedError{Addr: addr, Plain: public}
	case addr.Port() != permit.port && !slices.Contains(g.policy.ports, addr.Port()):
		return &BlockedError{Addr: addr, Port: true}
	}
	return nil
}
