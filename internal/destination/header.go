package destination

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook/internal/outbound"
)

// The headers of Standard Webhooks that carry an event's id and an attempt's
// time, as net/http spells them.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
)

// Bounds of an operator's headers, far below what servers accept.
const (
	maxHeaders     = 100
	maxHeaderValue = 8 << 10
)

// connectionHeader reports whether a header, in net/http's spelling, belongs to
// a connection or its two ends, and says nothing about the event. Those are
// neither passed on nor set by an operator.
func connectionHeader(name string) bool {
	switch name {
	case "Accept-Encoding", "Connection", "Content-Length", "Expect", "Forwarded", "Host", "Keep-Alive", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade", "Via":
		return true
	}
	return strings.HasPrefix(name, "Proxy-") || strings.HasPrefix(name, "X-Forwarded-")
}

// credential reports whether a header was meant for us alone.
func credential(name string) bool {
	return name == "Authorization" || name == "Cookie"
}

// passThrough copies from an event's headers to those of a request what the
// provider said about the event: all but what belongs to the connection that
// brought it and what let the provider in. Values are copied as they are.
//
// wanted says which; nil means all.
func passThrough(to, from http.Header, wanted func(name string) bool) error {
	for name, values := range from {
		if wanted != nil && !wanted(name) {
			continue
		}
		if connectionHeader(name) || credential(name) || name == "X-Real-Ip" || namedByConnection(from, name) {
			continue
		}
		if !outbound.ValidName(name) || !allValid(values) {
			return fmt.Errorf("the event's header %q cannot be sent", clip(name))
		}
		to[name] = values
	}
	return nil
}

// listed returns whether a header is in a list of names, of which one that ends
// in * stands for all that begin so.
func listed(list []string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(list, func(item string) bool {
			if start, all := strings.CutSuffix(item, "*"); all {
				return len(name) >= len(start) && strings.EqualFold(name[:len(start)], start)
			}
			return strings.EqualFold(name, item)
		})
	}
}

func setDefault(h http.Header, name, value string) {
	if len(h[name]) == 0 {
		h[name] = []string{value}
	}
}

// namedByConnection reports whether h's Connection header lists name, which
// makes it a header of that connection.
func namedByConnection(h http.Header, name string) bool {
	for _, list := range h["Connection"] {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(item), name) {
				return true
			}
		}
	}
	return false
}

// validateHeaders reports what is wrong with an operator's headers, without
// their values.
func validateHeaders(headers map[string]string) error {
	if len(headers) > maxHeaders {
		return fmt.Errorf("headers: there are %d, more than %d", len(headers), maxHeaders)
	}
	var errs []error
	seen := make(map[string]bool, len(headers))
	for _, given := range slices.Sorted(maps.Keys(headers)) {
		name, value := http.CanonicalHeaderKey(given), headers[given]
		switch {
		case !outbound.ValidName(given):
			errs = append(errs, fmt.Errorf("headers: %q is not the name of a header", clip(given)))
		case connectionHeader(name) || strings.HasPrefix(name, "Webhook-"):
			errs = append(errs, fmt.Errorf("headers: %s cannot be set", name))
		case seen[name]:
			errs = append(errs, fmt.Errorf("headers: %s is there twice", name))
		case !outbound.ValidValue(value):
			errs = append(errs, fmt.Errorf("headers: the value of %s holds a control character", name))
		case len(value) > maxHeaderValue:
			errs = append(errs, fmt.Errorf("headers: the value of %s is longer than %d bytes", name, maxHeaderValue))
		}
		seen[name] = true
	}
	return errors.Join(errs...)
}

func allValid(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !outbound.ValidValue(v) })
}
