package tenterhook_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/keyfetch"
)

// The kernel is asked whether the address guard holds: in a network namespace of
// its own, everything that leaves the gateway is tried with everything that it
// must not reach, and a packet counter on those ranges has to stay at zero. It
// is done with either resolver, for they read addresses differently: 127.1 and
// 0x7f000001 are addresses to the C library.

// insideNamespace is set for the process that runs in the namespace.
const insideNamespace = "TENTERHOOK_TEST_NAMESPACE"

func variable(name string) string {
	return os.Getenv(name) //nolint:forbidigo // a test starts itself in other surroundings
}

func surroundings(more ...string) []string {
	return append(os.Environ(), more...) //nolint:forbidigo // as above
}

// deniedRanges are what a packet must not go to: nft's sets of addresses.
const deniedRanges = `
table inet guard {
	counter denied {}
	set four { type ipv4_addr; flags interval; elements = {
		0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24,
		192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3, 168.63.129.16 } }
	set six { type ipv6_addr; flags interval; elements = {
		::/96, ::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64, 2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20,
		5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8 } }
	chain out { type filter hook output priority 0;
		meta l4proto tcp ip daddr @four counter name denied
		meta l4proto tcp ip6 daddr @six counter name denied
	}
}`

func TestGuardInNamespace(t *testing.T) {
	if variable(insideNamespace) != "" {
		t.Skip("runs in the namespace itself")
	}
	t.Parallel()
	for _, tool := range []string{"unshare", "ip", "nft", "mount"} {
		if _, err := lookUpTool(tool); err != nil {
			unable(t, fmt.Sprintf("%s is not installed: apt-get install iproute2 nftables util-linux", tool))
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-n", "-m", "true").CombinedOutput(); err != nil {
		unable(t, fmt.Sprintf("no namespace can be made, which takes root: %v, %s", err, out))
	}
	for _, resolver := range []string{"go", "cgo"} {
		t.Run(resolver, func(t *testing.T) {
			t.Parallel()
			c := exec.CommandContext(t.Context(), "unshare", "-n", "-m", self, "-test.run=^TestInsideNamespace$", "-test.v")
			c.Env = surroundings(insideNamespace+"="+resolver, "GODEBUG=netdns="+resolver,
				"PATH="+variable("PATH")+":/usr/sbin:/sbin",
				"HTTP_PROXY=http://10.0.0.1:3128", "HTTPS_PROXY=http://10.0.0.1:3128", "ALL_PROXY=http://10.0.0.1:3128",
				"http_proxy=http://10.0.0.1:3128", "https_proxy=http://10.0.0.1:3128", "NO_PROXY=", "REQUEST_METHOD=GET",
			)
			out, err := c.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("--- PASS: TestInsideNamespace")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// unable skips a test that this machine cannot run, and fails where it has to.
func unable(t *testing.T, why string) {
	t.Helper()
	if variable("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func lookUpTool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

func TestInsideNamespace(t *testing.T) { //nolint:paralleltest // it is alone in its process
	if variable(insideNamespace) == "" {
		t.Skip("TestGuardInNamespace runs it")
	}
	n := newNamespace(t)
	reached, roots := n.publicReceiver(t)
	client := egress.New(egress.Options{RootCAs: roots})
	t.Cleanup(client.CloseIdle)

	// The oracle sees what it is to see.
	for _, address := range []string{"10.1.2.3:80", "169.254.169.254:80", "127.0.0.1:9", "[fd00:ec2::254]:80", "[64:ff9b::a00:1]:80"} {
		before := n.denied(t)
		dialer := net.Dialer{Timeout: 100 * time.Millisecond}
		if conn, err := dialer.Dial("tcp", address); err == nil {
			conn.Close()
		}
		if n.denied(t) == before {
			t.Fatalf("a packet to %s is not counted", address)
		}
	}
	if a := n.deliver(t, client, "https://public.test/"); a.Outcome != tenterhook.OutcomeSuccess || reached() != 1 {
		t.Fatalf("what is public is not reached: %+v", a)
	}

	before := n.denied(t)
	for _, target := range forbidden() {
		n.tryAll(t, client, target)
		if now := n.denied(t); now != before {
			t.Errorf("%s: %d packets left", target, now-before)
			before = now
		}
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{"http://169.254.169.254/", "https://10.0.0.1/", "file:///etc/passwd"} {
			asked := reached()
			a := n.deliver(t, client, fmt.Sprintf("https://public.test/redirect?code=%d&to=%s", code, to))
			if a.Outcome != tenterhook.OutcomeRetry || a.Status != code || reached() != asked+1 {
				t.Errorf("redirect %d to %s: %+v, %d requests", code, to, a, reached()-asked)
			}
		}
	}
	// A name that was public when it was first looked up.
	for range 4 {
		client.CloseIdle()
		_ = n.deliver(t, client, "https://rebinding.test/")
	}
	if now := n.denied(t); now != before {
		t.Errorf("redirects and rebinding: %d packets left", now-before)
	}
}

// forbidden are URLs of what may not be reached, in every disguise.
func forbidden() []string {
	var all []string
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
		"127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
		"100.100.100.200", "169.254.169.254", "2852039166", "0xa9fea9fe", "192.0.0.192", "198.18.0.1", "168.63.129.16",
		"224.0.0.1", "255.255.255.255", "240.0.0.1", "[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]",
		"[::ffff:a9fe:a9fe]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
		"[2002:a9fe:a9fe::1]", "[2001:0:7f00:1::]", "[100::1]", "[3fff::1]", "[5f00::1]", "[fc00::1]", "[fd00:ec2::254]",
		"[fd20:ce::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
		"private.test", "metadata.test", "mixed.test", "mixed-first.test", "six.test", "nat64.test", "mapped.test",
	} {
		all = append(all, "http://"+host+"/", "https://"+host+"/", "https://"+host+":6379/")
	}
	return append(all,
		"HTTP://127.0.0.1/", "hTtP://10.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "ftp://127.0.0.1/",
		"unix:///run/docker.sock", "http:/127.0.0.1/", "http:127.0.0.1", `http:\\127.0.0.1\`, "//127.0.0.1/",
		"https://public.test@127.0.0.1/", "https://127.0.0.1#@public.test/", `https://public.test\@127.0.0.1/`,
		"https://[fe80::1%25lo]/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/", "http://public.test/", "https://public.test:22/",
	)
}

// A namespace is the network that the test runs in, and its name server.
type namespace struct{}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{}
	for _, line := range []string{
		"ip link set lo up",
		"ip address add 93.184.216.34/32 dev lo",
		"ip route add default dev lo", // whatever has no receiver is lost there, counted
		"ip -6 route add default dev lo",
	} {
		n.run(t, "", strings.Fields(line)...)
	}
	n.run(t, deniedRanges, "nft", "-f", "-")
	resolvers := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolvers, []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	n.run(t, "", "mount", "--bind", resolvers, "/etc/resolv.conf")
	n.serveNames(t)
	return n
}

func (*namespace) run(t *testing.T, input string, argv ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	c.Stdin = strings.NewReader(input)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

var packets = regexp.MustCompile(`packets (\d+)`)

// denied returns how many packets went to where none may go.
func (n *namespace) denied(t *testing.T) int {
	t.Helper()
	out := n.run(t, "", "nft", "list", "counter", "inet", "guard", "denied")
	var count int
	if found := packets.FindStringSubmatch(out); found == nil {
		t.Fatalf("no counter in %s", out)
	} else if _, err := fmt.Sscan(found[1], &count); err != nil {
		t.Fatal(err)
	}
	return count
}

// publicReceiver stands at a public address, and answers /redirect with what it
// is told.
func (*namespace) publicReceiver(t *testing.T) (requests func() int, roots *x509.CertPool) {
	t.Helper()
	listener, err := net.Listen("tcp", "93.184.216.34:443")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		count++
		code := 200
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			_, _ = fmt.Sscan(r.URL.Query().Get("code"), &code)
		}
		w.WriteHeader(code)
	}))
	s.Listener.Close()
	s.Listener = listener
	s.Config.ErrorLog = log.New(os.Stderr, "", 0)
	s.TLS = certificateFor(t, "public.test", "rebinding.test")
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}, roots
}

func (*namespace) deliver(t *testing.T, client *egress.Client, target string) tenterhook.Attempt {
	t.Helper()
	d, err := destination.NewHTTP("app", destination.HTTPConfig{
		URL: target, Sign: destination.SignNone, Timeout: 5 * time.Second,
	}, client)
	if err != nil {
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRefused, Error: err.Error()}
	}
	e := &tenterhook.Event{ID: tenterhook.NewIDs(nil).New(), Body: []byte("{}")}
	return d.Deliver(t.Context(), e, &tenterhook.Delivery{})
}

// A doer fetches keys and confirms subscriptions as the server does.
type doer struct{ client *egress.Client }

func (d doer) Do(ctx context.Context, r *http.Request) (*http.Response, error) {
	return d.client.Do(ctx, r, egress.Permit{})
}

// tryAll takes every way out to target.
func (n *namespace) tryAll(t *testing.T, client *egress.Client, target string) {
	t.Helper()
	if a := n.deliver(t, client, target); a.Outcome == tenterhook.OutcomeSuccess {
		t.Errorf("delivered to %s", target)
	}
	if _, err := keyfetch.New(doer{client}, nil).Fetch(target); err == nil {
		t.Errorf("fetched %s", target)
	}
	if req, err := http.NewRequest(http.MethodGet, target, nil); err == nil {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if resp, err := client.Do(ctx, req, egress.Permit{}); err == nil {
			resp.Body.Close()
			t.Errorf("asked %s", target)
		}
		if isLiteral(req.URL.Hostname()) {
			return // what is typed at the command line permits itself
		}
	}
	c := exec.CommandContext(t.Context(), "tenterhook", "trigger", "github", "push", "--to", target, "--secret", "env:SECRET")
	c.Env = surroundings("SECRET=0123456789abcdef0123456789abcdef")
	if out, err := c.CombinedOutput(); err == nil {
		t.Errorf("triggered %s: %s", target, out)
	}
}

func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

// serveNames answers questions for the names of this test at port 53.
func (*namespace) serveNames(t *testing.T) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][][]string{ // answers, one after the other; the last one stays
		"public.test":      {{"93.184.216.34"}},
		"rebinding.test":   {{"93.184.216.34"}, {"127.0.0.1"}},
		"private.test":     {{"10.0.0.1"}},
		"metadata.test":    {{"169.254.169.254"}},
		"mixed.test":       {{"93.184.216.34", "10.0.0.1"}},
		"mixed-first.test": {{"10.0.0.1", "93.184.216.34", "2606:4700::1"}},
		"six.test":         {{"fd00:ec2::254", "2606:4700::1"}},
		"nat64.test":       {{"64:ff9b::a9fe:a9fe"}},
		"mapped.test":      {{"::ffff:10.0.0.1"}},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for buf := make([]byte, 1500); ; {
			count, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerNames(buf[:count], names); reply != nil {
				_, _ = conn.WriteTo(reply, from) // a lost answer is asked for again
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
}

// answerNames answers one question for A or AAAA records.
func answerNames(query []byte, names map[string][][]string) []byte {
	const header = 12
	var labels []string
	at := header
	for at < len(query) && query[at] != 0 {
		end := at + 1 + int(query[at])
		if end > len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:end]))
		at = end
	}
	at += 5
	if at > len(query) {
		return nil
	}
	name, kind := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(query[at-4:])
	reply := append([]byte(nil), query[:at]...)
	answers := names[name]
	flags := uint16(0x8180)
	if answers == nil {
		flags |= 3 // there is no such name
	}
	binary.BigEndian.PutUint16(reply[2:], flags)
	clear(reply[6:header])
	if answers == nil {
		return reply
	}
	count := 0
	for _, text := range answers[0] {
		ip := netip.MustParseAddr(text)
		if ip.Is4() != (kind == 1) || kind != 1 && kind != 28 {
			continue
		}
		count++
		reply = append(reply, 0xc0, header, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(ip.BitLen()/8))
		reply = append(reply, ip.AsSlice()...)
	}
	binary.BigEndian.PutUint16(reply[6:], uint16(count))
	if kind == 1 && len(answers) > 1 {
		names[name] = answers[1:]
	}
	return reply
}

// certificateFor returns a server's side with a certificate of its own making.
func certificateFor(t *testing.T, names ...string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
