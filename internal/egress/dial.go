package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	// fallbackDelay is how long an address has to itself before the next one is
	// tried as well, as RFC 8305 has it.
	fallbackDelay = 300 * time.Millisecond
	// maxTries bounds the addresses of one name that are tried.
	maxTries = 4
)

// A dialer makes the connections of one pool.
type dialer struct {
	core  *core
	guard *guard
	proxy *proxy // nil dials directly
}

// dial looks up the host in address, judges every address that it has, and
// connects to one of them. A name with one address that is not allowed is not
// reached at all: who answers so means no good.
func (d *dialer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	addrs, err := d.resolve(ctx, address)
	if err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if err := d.guard.check(addr); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d.core.options.DialTimeout)
	defer cancel()
	if err := d.core.slots.take(ctx, address, d.core.closeIdle); err != nil {
		return nil, err
	}
	var conn net.Conn
	if d.proxy != nil && !addrs[0].Addr().IsLoopback() { // the proxy's loopback is another one
		conn, err = d.proxy.tunnel(ctx, addrs[0])
	} else {
		conn, err = d.connect(ctx, worthTrying(addrs))
	}
	if err != nil {
		d.core.slots.release(address)
		return nil, err
	}
	return &counted{Conn: conn, release: func() { d.core.slots.release(address) }}, nil
}

// resolve returns the addresses of HOST:PORT, at least one.
func (d *dialer) resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrBlocked, address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrBlocked, address)
	}
	return lookUp(ctx, d.core.options, host, uint16(port))
}

// lookUp returns the addresses of a host with a port, at least one.
func lookUp(ctx context.Context, o Options, host string, port uint16) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip, port)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.DNSTimeout)
	defer cancel()
	ips, err := o.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err //nolint:wrapcheck // Do wraps it
	}
	if len(ips) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), port)
	}
	return addrs, nil
}

// worthTrying returns the addresses to try, in order: as the resolver sorted
// them, but with one of the other family in second place, for it may be that
// only one family works here.
func worthTrying(addrs []netip.AddrPort) []netip.AddrPort {
	for i, addr := range addrs {
		if addr.Addr().Is4() != addrs[0].Addr().Is4() {
			tried := append([]netip.AddrPort{addrs[0], addr}, addrs[1:i]...)
			return clipped(append(tried, addrs[i+1:]...))
		}
	}
	return clipped(addrs)
}

func clipped(addrs []netip.AddrPort) []netip.AddrPort { return addrs[:min(len(addrs), maxTries)] }

// connect returns a connection to the first of addrs that answers. The next one
// is tried when one failed, or was given its time.
func (d *dialer) connect(ctx context.Context, addrs []netip.AddrPort) (net.Conn, error) {
	if len(addrs) == 1 {
		return d.connectTo(ctx, addrs[0])
	}
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result, len(addrs))
	next := time.NewTimer(0)
	defer next.Stop()
	var firstErr error
	for begun, ended := 0, 0; ended < len(addrs); {
		select {
		case <-next.C:
			addr := addrs[begun]
			go func() {
				conn, err := d.connectTo(ctx, addr)
				results <- result{conn, err}
			}()
			if begun++; begun < len(addrs) {
				next.Reset(fallbackDelay)
			}
		case r := <-results:
			ended++
			if r.err == nil {
				cancel() // those that are slower end at once
				for ; ended < begun; ended++ {
					if late := <-results; late.err == nil {
						_ = late.conn.Close() // nothing was sent on it
					}
				}
				return r.conn, nil
			}
			if firstErr == nil {
				firstErr = r.err
			}
			if begun < len(addrs) {
				next.Reset(0)
			}
		}
	}
	cancel()
	return nil, firstErr
}

// connectTo connects to one address, which the guard sees once more when the
// socket is made, and the other end's when it is connected.
func (d *dialer) connectTo(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	return connectTo(ctx, addr, d.guard.control, d.guard.check)
}

// counted is a connection that has a slot.
type counted struct {
	net.Conn

	once    sync.Once
	release func()
}

// Close closes the connection and gives its slot back.
func (c *counted) Close() error {
	defer c.once.Do(c.release)
	return c.Conn.Close() //nolint:wrapcheck // this is that connection
}
