package signature

import (
	"net/url"
	"strings"
)

// matchFetched is authenticate with the key that the scheme says where to fetch.
func (in *reading) matchFetched(m message) (int, *Error) {
	text, err := in.fetchKey()
	if err != nil {
		return 0, err
	}
	key, problem := in.scheme.mac.prepare(text, in.scheme.key)
	if problem != nil {
		return 0, refuse(ReasonKeyUnavailable, "the fetched key cannot be used: %s", problem.Problem)
	}
	if !key.verify(m, in.sigs) {
		return 0, refuse(ReasonSignatureMismatch,
			"the signature was not made with the provider's key, or the request was changed on its way")
	}
	return noKey, nil
}

// fetchKey gets the key from where the scheme, or with its leave the request,
// says that it is.
func (in *reading) fetchKey() (string, *Error) {
	s := in.scheme
	rawURL, err := s.keyURL.render(in)
	if err != nil {
		return "", err
	}
	return s.fetch(rawURL)
}

// allowsURL reports whether a URL is https, and on a host that the scheme pins.
func (s *Scheme) allowsURL(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Scheme == "https" && u.User == nil && u.Port() == "" && s.keyHosts != nil &&
		s.keyHosts.MatchString(strings.ToLower(u.Hostname()))
}

// fetch gets what is at a URL that the scheme allows.
func (s *Scheme) fetch(rawURL string) (string, *Error) {
	if !s.allowsURL(rawURL) {
		return "", refuse(ReasonKeyURL, "the key is said to be at %q, and its host must be %s, over https", clip(rawURL), s.keyHosts)
	}
	if s.fetcher == nil {
		return "", refuse(ReasonKeyUnavailable, "the key is at %q, and there is nothing to fetch it with", clip(rawURL))
	}
	body, err := s.fetcher.Fetch(rawURL)
	if err != nil {
		return "", refuse(ReasonKeyUnavailable, "fetch the key from %q: %v", clip(rawURL), err)
	}
	return string(body), nil
}
