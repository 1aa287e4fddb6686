// Package outbound has the rules of requests that leave, for those who send
// them: which addresses may be dialled, which headers may be set, and what a
// Retry-After asks for. It does nothing by itself.
//
// It imports the standard library only, because the library that other programs
// import sends by the same rules as the gateway.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
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

// A Guard judges addresses when they are dialled, after names were looked up, so
// that a name which changes its mind gains nothing.
type Guard struct {
	allow []netip.Prefix
	plain bool
}

// NewGuard returns a guard that lets public addresses through, and those in
// allow, whatever they are. If the requests have no TLS, plain, it lets only the
// latter through. An IPv4 range covers the forms in which IPv6 writes it.
func NewGuard(allow []netip.Prefix, plain bool) *Guard {
	g := &Guard{plain: plain}
	for _, prefix := range allow {
		const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
		if ip := prefix.Addr(); ip.Is4In6() && prefix.Bits() >= mapped {
			prefix = netip.PrefixFrom(ip.Unmap(), prefix.Bits()-mapped)
		}
		g.allow = append(g.allow, prefix.Masked())
	}
	return g
}

// Control is a [net.Dialer.ControlContext]: it is called for each address that
// is tried, when the socket is made and nothing is sent yet. Its error is a
// [*BlockedError], or wraps [ErrBlocked] if there is no address to be read.
func (g *Guard) Control(_ context.Context, network, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %q", ErrBlocked, network, address)
	}
	return g.Check(addr)
}

// Check returns a [*BlockedError] if addr must not be dialled.
func (g *Guard) Check(addr netip.AddrPort) error {
	ip := plainForm(addr.Addr())
	if slices.ContainsFunc(g.allow, func(prefix netip.Prefix) bool { return prefix.Contains(ip) }) {
		return nil
	}
	public := Public(ip)
	if public && !g.plain {
		return nil
	}
	return &BlockedError{Addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), Plain: public}
}

// plainForm returns ip without its zone, or the IPv4 address that it stands for:
// that is where the packets go.
func plainForm(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() && nat64().Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// nat64 is the range in which networks without IPv4 reach it.
func nat64() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 96)
}

// A block is a range of addresses that is not public.
type block struct {
	addr [16]byte // the first, in IPv6; of an IPv4 range, the first four bytes
	bits int
}

func (b block) contains(bytes []byte) bool {
	whole, rest := b.bits/8, b.bits%8
	if string(b.addr[:whole]) != string(bytes[:whole]) {
		return false
	}
	return rest == 0 || (b.addr[whole]^bytes[whole])>>(8-rest) == 0
}

// special4 are the IPv4 ranges that are not public: what IANA registers as
// special, multicast, what is reserved, and one that clouds made special.
func special4() []block {
	return []block{
		{[16]byte{0}, 8},                 // this network
		{[16]byte{10}, 8},                // private
		{[16]byte{100, 64}, 10},          // shared by carriers; 100.100.100.200 is Alibaba's metadata
		{[16]byte{127}, 8},               // loopback
		{[16]byte{168, 63, 129, 16}, 32}, // the machine service of every network in Azure
		{[16]byte{169, 254}, 16},         // link-local; 169.254.169.254 is most clouds' metadata
		{[16]byte{172, 16}, 12},          // private
		{[16]byte{192, 0, 0}, 24},        // protocol assignments; 192.0.0.192 is Oracle's metadata
		{[16]byte{192, 0, 2}, 24},        // documentation
		{[16]byte{192, 31, 196}, 24},     // AS112
		{[16]byte{192, 52, 193}, 24},     // automatic multicast tunnels
		{[16]byte{192, 88, 99}, 24},      // relays of 6to4
		{[16]byte{192, 168}, 16},         // private
		{[16]byte{192, 175, 48}, 24},     // AS112
		{[16]byte{198, 18}, 15},          // benchmarks
		{[16]byte{198, 51, 100}, 24},     // documentation
		{[16]byte{203, 0, 113}, 24},      // documentation
		{[16]byte{224}, 4},               // multicast
		{[16]byte{240}, 4},               // reserved, and broadcast
	}
}

// special6 are the ranges of 2000::/3 that are not public. Nothing else of IPv6
// is: loopback, private, link-local, multicast, what wraps IPv4, and what is not
// in use yet.
func special6() []block {
	return []block{
		{[16]byte{0x20, 0x01, 0x00}, 23},                   // protocol assignments, with Teredo and ORCHID
		{[16]byte{0x20, 0x01, 0x0d, 0xb8}, 32},             // documentation
		{[16]byte{0x20, 0x02}, 16},                         // 6to4, whatever it wraps
		{[16]byte{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, // AS112
		{[16]byte{0x3f, 0xff, 0x00}, 20},                   // documentation
	}
}

// Public reports whether ip is an address of the public internet: not private,
// loopback, link-local, a metadata service, multicast, or otherwise special. An
// address that stands for an IPv4 address, as ::ffff:127.0.0.1 and those of NAT64
// do, is judged by that one.
func Public(ip netip.Addr) bool {
	ip = plainForm(ip)
	if !ip.IsValid() {
		return false
	}
	bytes := ip.AsSlice()
	within := func(b block) bool { return b.contains(bytes) }
	if ip.Is4() {
		return !slices.ContainsFunc(special4(), within)
	}
	global := block{addr: [16]byte{0x20}, bits: 3}
	return global.contains(bytes) && !slices.ContainsFunc(special6(), within)
}

// Literal returns the ranges of exactly the addresses that host is, if it is an
// IP address or localhost, and none if it is another name. Only the usual
// notation is an address: 127.1 and 0x7f000001 are names here, whatever a
// resolver may think of them. Give it only a host that the operator wrote.
func Literal(host string) []netip.Prefix {
	if strings.EqualFold(host, "localhost") {
		v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
		return []netip.Prefix{netip.PrefixFrom(v4, v4.BitLen()), netip.PrefixFrom(v6, v6.BitLen())}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	ip = ip.Unmap().WithZone("")
	return []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}
}
