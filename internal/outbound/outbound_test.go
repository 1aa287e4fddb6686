package outbound_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/tenterhook/tenterhook/internal/outbound"
)

// Every address here must stay out of reach unless somebody allowed it.
func TestDenied(t *testing.T) {
	t.Parallel()
	g := outbound.NewGuard(nil, false)
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
		ip := netip.MustParseAddr(text)
		if err := g.Check(netip.AddrPortFrom(ip, 443)); !errors.Is(err, outbound.ErrBlocked) || outbound.Public(ip) {
			t.Errorf("%s may be dialled: %v", text, err)
		}
	}
	if outbound.Public(netip.Addr{}) {
		t.Error("no address is a public one")
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	tls, plain := outbound.NewGuard(nil, false), outbound.NewGuard(nil, true)
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
		"169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "168.63.129.15", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		"2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1",
	} {
		addr := netip.AddrPortFrom(netip.MustParseAddr(text), 443)
		if err := tls.Check(addr); err != nil {
			t.Error(err)
		}
		var blocked *outbound.BlockedError
		if err := plain.Check(addr); !errors.As(err, &blocked) || !blocked.Plain || !strings.HasSuffix(err.Error(), "without TLS") {
			t.Errorf("%s without TLS: %v", text, err)
		}
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	g := outbound.NewGuard([]netip.Prefix{
		netip.MustParsePrefix("10.1.2.3/16"), netip.MustParsePrefix("::ffff:192.168.7.0/120"), netip.MustParsePrefix("fd00::/8"),
	}, true)
	for text, want := range map[string]bool{
		"10.1.0.1": true, "10.2.0.1": false, "::ffff:10.1.0.1": true, "64:ff9b::10.1.0.1": true, "2002:a01:1::": false,
		"192.168.7.9": true, "192.168.8.1": false, "fd12::1": true, "fc00::1": false, "8.8.8.8": false, "127.0.0.1": false,
	} {
		if err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(text), 80)); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Another list, kept by others, is the oracle: at the edges of every range and at
// many addresses between, the two agree. Azure's address is ours alone.
func TestSameAsTheRegistry(t *testing.T) {
	t.Parallel()
	oracle := ssrf.New(ssrf.WithAnyPort())
	compare := func(ip netip.Addr) {
		if !ip.IsValid() || ip == netip.MustParseAddr("168.63.129.16") || ssrf.IPv6NAT64Prefix.Contains(ip) || ip.Is4In6() {
			return
		}
		if want := oracle.SafeAddr(ip) == nil; outbound.Public(ip) != want {
			t.Errorf("%s is public: %v, the registry says %v", ip, outbound.Public(ip), want)
		}
	}
	for _, prefix := range append(ssrf.IPv4DeniedPrefixes, append(ssrf.IPv6DeniedPrefixes, ssrf.IPv6GlobalUnicast)...) {
		first := prefix.Masked().Addr()
		last := lastOf(prefix)
		for _, ip := range []netip.Addr{first, first.Prev(), first.Next(), last, last.Prev(), last.Next()} {
			compare(ip)
		}
	}
	for a := range 256 {
		for b := range 256 {
			compare(netip.AddrFrom4([4]byte{byte(a), byte(b), 0, 1}))
			compare(netip.AddrFrom16([16]byte{byte(a), byte(b), byte(a ^ b), 1}))
		}
	}
}

func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	ip, _ := netip.AddrFromSlice(bytes)
	return ip
}

func TestControlRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	g := outbound.NewGuard(nil, false)
	for _, address := range [][2]string{
		{"tcp4", "8.8.8.8"}, {"tcp4", "example.com:443"}, {"unix", "/run/docker.sock"}, {"udp4", "8.8.8.8:53"}, {"tcp", ""},
		{"tcp6", "[::ffff:127.0.0.1]:443"}, {"tcp6", "[fe80::1%lo]:443"},
	} {
		if err := g.Control(t.Context(), address[0], address[1], nil); !errors.Is(err, outbound.ErrBlocked) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := g.Control(t.Context(), "tcp4", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}

// The guard stands where a socket is made: what it refuses is not connected to.
func TestControlBeforeTheFirstPacket(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	dial := func(g *outbound.Guard) error {
		d := net.Dialer{ControlContext: g.Control}
		conn, err := d.DialContext(context.Background(), "tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := dial(outbound.NewGuard(nil, false)); !errors.Is(err, outbound.ErrBlocked) {
		t.Errorf("loopback: %v", err)
	}
	if err := dial(outbound.NewGuard(outbound.Literal("127.0.0.1"), true)); err != nil {
		t.Errorf("permitted: %v", err)
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1/32", "10.0.0.1": "10.0.0.1/32", "fd00::1": "fd00::1/128", "::ffff:127.0.0.1": "127.0.0.1/32",
		"localhost": "127.0.0.1/32 ::1/128", "LocalHost": "127.0.0.1/32 ::1/128", "localhost.example": "", "example.com": "",
		"2130706433": "", "0x7f000001": "", "0177.0.0.1": "", "127.1": "", "0": "", "": "",
	} {
		var texts []string
		for _, prefix := range outbound.Literal(host) {
			texts = append(texts, prefix.String())
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	for _, refused := range [][2]string{
		{"", "a"}, {"a b", "a"}, {"a:", "a"}, {"a\r\nb", "a"}, {"Host", "a"}, {"content-length", "1"}, {"TRANSFER-ENCODING", "chunked"},
		{"connection", "close"}, {"te", "trailers"}, {"Trailer", "a"}, {"Upgrade", "a"}, {"Proxy-Authorization", "a"},
		{"X-Forwarded-For", "a"}, {"forwarded", "a"}, {"webhook-id", "a"}, {"Webhook-Signature", "a"}, {"X-A", "a\nb"}, {"X-A", "a\x00"},
		{"X-A", "a\x7f"}, {"X-A", strings.Repeat("a", 8<<10+1)},
	} {
		if err := outbound.CheckHeader(refused[0], refused[1]); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", refused, err)
		}
	}
	for _, fine := range [][2]string{{"X-A", ""}, {"X-A", "a\tb"}, {"Authorization", "Bearer a"}, {"Content-Type", "a/b"}, {"x-ä", ""}} {
		if err := outbound.CheckHeader(fine[0], fine[1]); (err == nil) != (fine[0] != "x-ä") {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "007": 7 * time.Second, "3600": time.Hour, "86401": 24 * time.Hour,
		"99999999999999999999999": 24 * time.Hour, "-1": 0, "+1": 0, "1.5": 0, "1e3": 0, " 1": 0, "soon": 0,
		now.Add(time.Minute).Format(http.TimeFormat):      time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat):     0,
		now.Add(48 * time.Hour).Format(http.TimeFormat):   24 * time.Hour,
		now.Add(90 * time.Second).Format(time.RFC850):     90 * time.Second,
		now.Add(90 * time.Second).Format(time.ANSIC):      90 * time.Second,
		now.Add(time.Minute).Format(time.RFC3339):         0,
		strings.Repeat("1", 65):                           0,
		"Sun, 01 Mar 2026 12:01:00 GMT, and then some…… ": 0,
	} {
		if got := outbound.RetryAfter(value, now, 24*time.Hour); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"1", "120", "Sun, 01 Mar 2026 12:01:00 GMT", "99999999999999999999", "-1", ""} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if got := outbound.RetryAfter(value, now, time.Hour); got < 0 || got > time.Hour {
			t.Errorf("%q: %v", value, got)
		}
	})
}
