package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Rule lets a range of addresses be reached although they are not public, and
// without TLS.
type Rule struct {
	// Prefix is the range. One of IPv4 covers the IPv4-mapped form as well, and
	// the one that a NAT64 gateway translates.
	Prefix netip.Prefix
	// Port is the one port that may be reached there; 0 means all.
	Port uint16
}

// ParseRule reads a range in CIDR notation, which a colon and a port may follow:
// 10.0.0.0/8, 10.0.0.0/8:443, fd00::/8:443.
func ParseRule(text string) (Rule, error) {
	var rule Rule
	network, bits, hasBits := strings.Cut(text, "/")
	length, port, hasPort := strings.Cut(bits, ":")
	if hasBits {
		network += "/" + length
	}
	prefix, err := netip.ParsePrefix(network)
	if err != nil {
		return rule, fmt.Errorf("%q is not a range of addresses", network)
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return rule, fmt.Errorf("%q is not a port", port)
		}
		rule.Port = uint16(n)
	}
	if prefix != prefix.Masked() {
		return rule, errors.New("the range has bits set beyond its length")
	}
	rule.Prefix = prefix
	return rule, nil
}

// String returns r as [ParseRule] reads it.
func (r Rule) String() string {
	if r.Port == 0 {
		return r.Prefix.String()
	}
	return r.Prefix.String() + ":" + strconv.Itoa(int(r.Port))
}

// unmapped returns r with an IPv4-mapped range as the IPv4 range it is.
func (r Rule) unmapped() Rule {
	const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
	if ip := r.Prefix.Addr(); ip.Is4In6() && r.Prefix.Bits() >= mapped {
		r.Prefix = netip.PrefixFrom(ip.Unmap(), r.Prefix.Bits()-mapped)
	}
	r.Prefix = r.Prefix.Masked()
	return r
}

func (r Rule) covers(addr netip.AddrPort) bool {
	return (r.Port == 0 || r.Port == addr.Port()) && r.Prefix.Contains(addr.Addr())
}
