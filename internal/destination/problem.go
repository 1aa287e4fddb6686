package destination

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
)

// failed returns what became of an attempt that ended in err, from
// [egress.Client.Do], and neither in an answer nor because time was up.
func failed(err error) tenterhook.Attempt {
	var (
		blocked *egress.BlockedError
		early   *egress.EarlyAnswerError
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case errors.As(err, &blocked):
		return refused(blocked.Error() + "; " + blocked.Hint())
	case errors.Is(err, egress.ErrBlocked), errors.Is(err, egress.ErrScheme):
		return refused(innermost(err))
	case errors.As(err, &early):
		a := retry(early.Error())
		a.Status = early.Status
		return a
	case errors.As(err, &dns) && dns.IsNotFound:
		return retry(fmt.Sprintf("host %q not found", clip(dns.Name)))
	case errors.As(err, &dns):
		return retry(fmt.Sprintf("host %q could not be looked up", clip(dns.Name)))
	case errors.Is(err, syscall.ECONNREFUSED):
		return retry("connection refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return retry("connection reset")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return retry("connection closed before an answer came")
	case errors.As(err, &network) && network.Timeout():
		return retry("connecting timed out")
	}
	return retry(innermost(err))
}

// innermost returns the text of the error that err wraps deepest: what went
// wrong, without who noticed. It may quote what a server sent.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return clip(err.Error())
		}
		err = inner
	}
}

// clip returns the beginning of a text from outside, in one printable line.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
