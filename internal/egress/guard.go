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
// it.
type BlockedError struct {
	Addr  netip.AddrPort // what was about to be dialled
	Plain bool           // the address is public, but the request has no TLS
}

// Error says what was blocked.
func (e *BlockedError) Error() string {
	if e.Plain {
		return fmt.Sprintf("%v: %v without TLS", ErrBlocked, e.Addr)
	}
	return fmt.Sprintf("%v: %v", ErrBlocked, e.Addr)
}

// Unwrap returns [ErrBlocked].
func (e *BlockedError) Unwrap() error { return ErrBlocked }

// Hint says what the operator can do about it.
func (e *BlockedError) Hint() string {
	if e.Plain {
		return "use https, or add the address to egress.allow"
	}
	return "add the address to egress.allow if it is meant to be reached"
}

// A Permit lets requests reach the addresses in it, which need be neither public
// nor spoken to with TLS. The zero Permit lets none. Permits are comparable.
type Permit struct {
	addrs [2]netip.AddrPort // two, for localhost
}

// PermitLiteral returns a permit for exactly the address and port that u names
// by a literal IP address or as localhost, and the zero Permit if it names
// something else. Give it only URLs that the operator wrote; one that came
// through an API must never permit anything.
func PermitLiteral(u *url.URL) Permit {
	port, err := strconv.ParseUint(cmp.Or(u.Port(), defaultPort(u.Scheme)), 10, 16)
	if err != nil {
		return Permit{}
	}
	at := func(ip netip.Addr) netip.AddrPort { return netip.AddrPortFrom(ip, uint16(port)) }
	if strings.EqualFold(u.Hostname(), "localhost") {
		return Permit{addrs: [2]netip.AddrPort{at(netip.AddrFrom4([4]byte{127, 0, 0, 1})), at(netip.IPv6Loopback())}}
	}
	// Only the usual notation is a literal: 127.1 and 0x7f000001 are names here,
	// whatever a resolver may think of them.
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return Permit{}
	}
	return Permit{addrs: [2]netip.AddrPort{at(ip.Unmap())}}
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

func (p Permit) holds(addr netip.AddrPort) bool {
	return addr == p.addrs[0] || addr == p.addrs[1]
}

// A policy says which addresses may be reached without a permit.
type policy struct {
	allow  []netip.Prefix
	public *ssrf.Guardian
}

func newPolicy(allow []netip.Prefix) *policy {
	p := &policy{
		// The guardian denies what IANA registers as special, and of IPv6 all
		// but 2000::/3, which is everything that is in use.
		public: ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(
			// A public address, but the same machine service in every Azure network.
			netip.MustParsePrefix("168.63.129.16/32"),
		)),
	}
	for _, prefix := range allow {
		const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
		if ip := prefix.Addr(); ip.Is4In6() && prefix.Bits() >= mapped {
			prefix = netip.PrefixFrom(ip.Unmap(), prefix.Bits()-mapped)
		}
		p.allow = append(p.allow, prefix.Masked())
	}
	return p
}

// judge reports whether ip is in an allowed range, and if not, whether it is
// public. An address that only wraps an IPv4 address is judged by that one: it
// is where the packets go.
func (p *policy) judge(ip netip.Addr) (allowed, public bool) {
	ip = ip.Unmap().WithZone("")
	if slices.ContainsFunc(p.allow, func(prefix netip.Prefix) bool { return prefix.Contains(ip) }) {
		return true, false
	}
	if ssrf.IPv6NAT64Prefix.Contains(ip) {
		b := ip.As16()
		return p.judge(netip.AddrFrom4([4]byte(b[12:])))
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
	return g.check(netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
}

func (g *guard) check(addr netip.AddrPort) error {
	if g.pool.permit.holds(addr) {
		return nil
	}
	allowed, public := g.policy.judge(addr.Addr())
	if allowed || public && !g.pool.plain {
		return nil
	}
	return &BlockedError{Addr: addr, Plain: public}
}
