package egress

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
)

// A dns is a name server with one IPv4 answer, the same for all names, which
// changes with every question until the last one.
type dns struct {
	addr    string
	answers [][]string
}

func newDNS(t *testing.T, answers ...[]string) *dns {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dns{addr: conn.LocalAddr().String(), answers: answers}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.serve(conn)
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return d
}

func (d *dns) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", d.addr)
	}}
}

func (d *dns) serve(conn net.PacketConn) {
	const header = 12
	for buf := make([]byte, 512); ; {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		end := header // of the question
		for end < n && buf[end] != 0 {
			end += int(buf[end]) + 1
		}
		end += 5
		if end > n {
			continue
		}
		var addrs []string
		if binary.BigEndian.Uint16(buf[end-4:]) == 1 { // type A
			addrs = d.answers[0]
			if len(d.answers) > 1 {
				d.answers = d.answers[1:]
			}
		}
		_, _ = conn.WriteTo(reply(buf[:end], addrs), from) // a lost answer is asked for again
	}
}

// reply returns the answer to a question: the question, and an A record for each
// address.
func reply(question []byte, addrs []string) []byte {
	r := append([]byte(nil), question...)
	binary.BigEndian.PutUint16(r[2:], 0x8180) // a response, without error
	binary.BigEndian.PutUint16(r[6:], uint16(len(addrs)))
	clear(r[8:12])
	for _, addr := range addrs {
		ip := netip.MustParseAddr(addr).As4()
		r = append(r, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4) // the name above, A, IN, TTL 0, 4 bytes
		r = append(r, ip[:]...)
	}
	return r
}
