package destination

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// parseURL reads an endpoint's URL. The error names no part of it that may be a
// secret.
func parseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("url: is missing")
	}
	u, err := url.Parse(text)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok { // which quotes all of the text
			err = inner.Err
		}
		return nil, fmt.Errorf("url: %w", err)
	}
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("url: scheme %q is neither http nor https", clip(u.Scheme))
	case u.Opaque != "" || host == "":
		return nil, errors.New("url: has no host")
	case u.User != nil:
		return nil, errors.New("url: holds a user or a password; send an Authorization header instead")
	case u.Fragment != "":
		return nil, errors.New("url: has a fragment, which is never sent")
	case strings.Contains(host, "%"):
		return nil, errors.New("url: the address has a zone")
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("url: host %q is not ASCII; write its xn-- form", clip(host))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("url: %q is not a port", clip(port))
		}
	}
	return u, nil
}

// RedactURL returns a URL for people to read: without user, password, fragment,
// and the values of the query. Of what is not a URL it returns nothing.
func RedactURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if u.RawQuery != "" {
		u.RawQuery = "[redacted]"
	}
	return u.String()
}
