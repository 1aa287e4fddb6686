package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"
)

// Every address here must stay out of reach unless somebody allowed it.
func TestDenied(t *testing.T) {
	t.Parallel()
	p := newPolicy(nil, nil)
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
		"127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1",
		"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "168.63.129.16",
		"::", "::1", "::7f00:1", "::a00:1", "::808:808", // the last three are IPv4-compatible
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:168.63.129.16", // mapped
		"::ffff:0:7f00:1",                                                                     // translated
		"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110", // NAT64
		"64:ff9b:1::a00:1", "64:ff9b:1:ffff::808:808", "100::1", "100:0:0:1::1",
		"2001::1", "2001:0:808:808::1", "2001:10::1", "2001:20::1", "2001:1ff::1", // Teredo, ORCHID and so on
		"2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", // 6to4, whatever it wraps
		"3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fdff::1",
		"fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
	} {
		if allowed, public := p.judge(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); allowed || public {
			t.Errorf("%s: allowed %v, public %v", text, allowed, public)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	p := newPolicy(nil, nil)
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
		"169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "168.63.129.15", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		"2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1",
	} {
		if allowed, public := p.judge(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); allowed || !public {
			t.Errorf("%s: allowed %v, public %v", text, allowed, public)
		}
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	p := newPolicy(rules(t, "10.1.0.0/16", "::ffff:192.168.7.0/120", "fd00::/8"), nil)
	for text, want := range map[string]bool{
		"10.1.0.1": true, "10.2.0.1": false, "::ffff:10.1.0.1": true, "64:ff9b::10.1.0.1": true, "2002:a01:1::": false,
		"192.168.7.9": true, "192.168.8.1": false, "fd12::1": true, "fc00::1": false, "8.8.8.8": false, "127.0.0.1": false,
	} {
		if allowed, _ := p.judge(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); allowed != want {
			t.Errorf("%s: %v", text, allowed)
		}
	}
}

func TestPermitLiteral(t *testing.T) {
	t.Parallel()
	for rawURL, want := range map[string][]string{
		"http://127.0.0.1:3000/hooks":    {"127.0.0.1:3000"},
		"http://10.0.0.1":                {"10.0.0.1:80"},
		"https://10.0.0.1":               {"10.0.0.1:443"},
		"https://[fd00::1]:8443/":        {"[fd00::1]:8443"},
		"http://[::ffff:127.0.0.1]:3000": {"127.0.0.1:3000"},
		"http://localhost:3000":          {"127.0.0.1:3000", "[::1]:3000"},
		"http://LocalHost":               {"127.0.0.1:80", "[::1]:80"},
		"http://localhost.example":       nil,
		"http://example.com":             nil,
		"http://2130706433/":             nil,
		"http://0x7f000001/":             nil,
		"http://0177.0.0.1/":             nil,
		"http://127.1/":                  nil,
		"http://127.0.0.1.nip.io/":       nil,
		"http://0/":                      nil,
		"http://127.0.0.1:99999/":        nil,
	} {
		u, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		p := PermitLiteral(u)
		if (p == Permit{}) != (want == nil) {
			t.Errorf("%s: %v", rawURL, p)
		}
		for _, addr := range want {
			if !p.holds(netip.MustParseAddrPort(addr)) {
				t.Errorf("%s does not permit %s", rawURL, addr)
			}
		}
		for _, addr := range []string{"127.0.0.2:3000", "127.0.0.1:3001", "169.254.169.254:80", "[::]:80"} {
			if p.holds(netip.MustParseAddrPort(addr)) {
				t.Errorf("%s permits %s", rawURL, addr)
			}
		}
	}
}

func TestControlRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	g := &guard{policy: newPolicy(nil, nil)}
	for _, address := range [][2]string{
		{"tcp4", "8.8.8.8"}, {"tcp4", "example.com:443"}, {"unix", "/run/docker.sock"}, {"udp4", "8.8.8.8:53"}, {"tcp", ""},
		{"tcp6", "[::ffff:127.0.0.1]:443"}, {"tcp6", "[fe80::1%lo]:443"},
	} {
		if err := g.control(t.Context(), address[0], address[1], nil); !errors.Is(err, ErrBlocked) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := g.control(t.Context(), "tcp4", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}
