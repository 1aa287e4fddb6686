package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"

	"github.com/tenterhook/tenterhook/internal/filter"
	"github.com/tenterhook/tenterhook/internal/secret"
)

// A complaint says what is wrong with the text of a value.
type complaint struct {
	message, hint string
	offset        int // of the byte in the text that is meant
}

// textKind is a text that parse makes a V of. Numbers are refused, because what
// YAML makes of 0123 or 1_000 is not what was written.
func textKind[V any](s schema, parse func(text string) (V, *complaint)) kind[V] {
	return scalarKind(s.with("type", "string"), func(n *node) *complaint {
		if !n.isText() {
			return &complaint{message: "this is a number or a word of YAML's own, but a text is wanted",
				hint: "put it in quotes"}
		}
		return nil
	}, parse)
}

// scalarKind is a single value that passes check and that parse makes a V of.
func scalarKind[V any](s schema, check func(*node) *complaint, parse func(string) (V, *complaint)) kind[V] {
	read := func(d *decoder, n *node) (v V, ok bool) {
		if !d.expect(n, scalar, "write it on one line; quote it if it begins with [ or {") {
			return v, false
		}
		c := check(n)
		if c == nil {
			v, c = parse(n.text)
		}
		if c != nil {
			d.report(d.source.within(n, c.offset), n.path, c.message, c.hint)
		}
		return v, c == nil
	}
	return kind[V]{schema: s, read: read}
}

// isText reports whether a scalar is a text in YAML, not a number or boolean.
func (n *node) isText() bool {
	switch n.style {
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.LiteralType, token.FoldedType:
		return true
	default:
		return false
	}
}

// isPlain reports whether a scalar is not in quotes.
func isPlain(n *node) *complaint {
	if n.style == token.SingleQuoteType || n.style == token.DoubleQuoteType {
		return &complaint{message: "this is a text, but a number is wanted", hint: "remove the quotes"}
	}
	return nil
}

func anyScalar(*node) *complaint { return nil }

const namePattern = `^[a-z0-9][a-z0-9_-]{0,62}$`

var nameRegexp = regexp.MustCompile(namePattern)

const nameHint = "a name has lower-case letters, digits, - and _, begins with a letter or digit, " +
	"and has at most 63 characters"

// checkName refuses names that cannot be in a URL, a metric and a table as they are.
func (d *decoder) checkName(n *node, what string) {
	if nameRegexp.MatchString(n.text) {
		return
	}
	hint := nameHint
	if fixed := strings.ReplaceAll(strings.ToLower(n.text), " ", "-"); nameRegexp.MatchString(fixed) {
		hint = fmt.Sprintf("write %q; %s", fixed, nameHint)
	}
	d.reject(n, fmt.Sprintf("%q cannot name a %s", clip(n.text), what), hint)
}

// reference is the name of something that is defined elsewhere.
func reference() kind[string] {
	return scalarKind(schema{"type": "string", "pattern": namePattern}, anyScalar,
		func(text string) (string, *complaint) { return text, nil })
}

// name is a name that is defined here.
func name(what string) kind[string] {
	k := reference()
	read := func(d *decoder, n *node) (string, bool) {
		if !d.expect(n, scalar, nameHint) {
			return "", false
		}
		before := len(d.problems)
		d.checkName(n, what)
		return n.text, len(d.problems) == before
	}
	return kind[string]{schema: k.schema, read: read}
}

// word is one of a few fixed texts.
func word[V ~string](words ...V) kind[V] {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return scalarKind(schema{"enum": all}, anyScalar, func(text string) (V, *complaint) {
		if slices.Contains(all, text) {
			return V(text), nil
		}
		verb := "none of"
		if len(all) == 1 {
			verb = "not"
		}
		return "", &complaint{
			message: fmt.Sprintf("%q is %s %s", clip(text), verb, strings.Join(all, ", ")),
			hint:    didYouMean(text, all, "write one of %s"),
		}
	})
}

// line is a text of one line that is not empty.
func line() kind[string] {
	return textKind(schema{"minLength": 1}, func(text string) (string, *complaint) {
		switch {
		case text == "":
			return "", &complaint{message: "the text is empty", hint: "write a value, or remove the key"}
		case strings.ContainsAny(text, "\x00\r\n"):
			return "", &complaint{message: "the text has more than one line", hint: "write it on one line"}
		}
		return text, nil
	})
}

// argument is one word of a command line; it may be empty or a number.
func argument() kind[string] {
	return scalarKind(schema{"type": []string{"string", "number", "boolean"}}, anyScalar,
		func(text string) (string, *complaint) {
			if strings.ContainsRune(text, 0) {
				return "", &complaint{message: "an argument cannot hold a zero byte", hint: "remove it"}
			}
			return text, nil
		})
}

// integer is a whole number.
func integer(least, most int) kind[int] {
	wanted := fmt.Sprintf("write a whole number from %d to %d", least, most)
	return scalarKind(schema{"type": "integer", "minimum": least, "maximum": most}, isPlain,
		func(text string) (int, *complaint) {
			n, err := strconv.Atoi(text)
			if err != nil || n < least || n > most {
				return 0, &complaint{message: fmt.Sprintf("%s is out of range", clip(text)), hint: wanted}
			}
			return n, nil
		})
}

// address is where a listener listens, HOST:PORT.
func address() kind[string] {
	return scalarKind(schema{"type": "string", "pattern": `:[0-9]{1,5}$`}, anyScalar, parseAddress)
}

func parseAddress(text string) (string, *complaint) {
	const most = 1<<16 - 1
	if port, err := strconv.Atoi(text); err == nil && port > 0 && port <= most {
		return "", &complaint{
			message: "the address has no host",
			hint:    fmt.Sprintf("write 127.0.0.1:%d for this machine only, or ':%d' for every interface", port, port),
		}
	}
	host, portText, err := net.SplitHostPort(text)
	port, portErr := strconv.Atoi(portText)
	if err != nil || portErr != nil || port < 0 || port > most || strings.ContainsAny(host, "/@ ") {
		return "", &complaint{
			message: fmt.Sprintf("%q is not an address to listen on", clip(text)),
			hint:    "write HOST:PORT, such as 127.0.0.1:8000; an IPv6 address is in brackets, such as '[::1]:8000'",
		}
	}
	return text, nil
}

// network is a range of addresses in CIDR notation.
func network() kind[netip.Prefix] {
	return textKind(schema{"pattern": `^[0-9A-Fa-f.:]+/[0-9]{1,3}$`}, func(text string) (netip.Prefix, *complaint) {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			c := &complaint{
				message: fmt.Sprintf("%q is not a range of addresses", clip(text)),
				hint:    "write it as CIDR, such as 10.0.0.0/8",
			}
			if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
				c.hint = "write " + netip.PrefixFrom(addr, addr.BitLen()).String() + " for this address alone"
			}
			return netip.Prefix{}, c
		}
		if masked := prefix.Masked(); masked != prefix {
			return netip.Prefix{}, &complaint{
				message: fmt.Sprintf("%q has bits set beyond its length", text),
				hint: fmt.Sprintf("write %s for the range, or %s for the address alone", masked,
					netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen())),
			}
		}
		return prefix, nil
	})
}

// target is the URL of a destination.
func target() kind[string] {
	return textKind(schema{"format": "uri", "pattern": "^https?://"}, parseTarget)
}

// parseTarget does not repeat the URL: it may hold a password.
func parseTarget(text string) (string, *complaint) {
	const wanted = "write it like https://host.example/hooks"
	lower := strings.ToLower(text)
	if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		c := &complaint{message: "the URL does not begin with http:// or https://", hint: wanted}
		if guess, err := url.Parse("https://" + text); err == nil && guess.User == nil && guess.Host != "" &&
			!strings.Contains(text, "://") {
			c.hint = "write https://" + text
			if host := guess.Hostname(); host == "localhost" || net.ParseIP(host) != nil {
				c.hint = "write http://" + text
			}
		}
		return "", c
	}
	u, err := url.Parse(text)
	var detail *url.Error
	switch {
	case err == nil && u.User != nil, err != nil && strings.Contains(text, "@"):
		return "", &complaint{
			message: "the URL holds a user name or a password",
			hint:    "sign the requests instead, or send them in a header: headers: {Authorization: env:NAME}",
		}
	case errors.As(err, &detail):
		return "", &complaint{message: fmt.Sprintf("the URL cannot be read: %v", detail.Err), hint: wanted}
	case err != nil, u.Hostname() == "":
		return "", &complaint{message: "the URL has no host", hint: wanted}
	case strings.Contains(text, "#"):
		return "", &complaint{
			message: "the URL has a fragment (what follows #), which is never sent",
			hint:    "remove it; a # that is meant is written %23",
			offset:  strings.Index(text, "#"),
		}
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", &complaint{message: fmt.Sprintf("%s is not a port", clip(port)), hint: wanted}
		}
	}
	return text, nil
}

const typeCharacters = "A-Za-z0-9_.:/*-"

// typePattern is a glob over event types.
func typePattern() kind[string] {
	const longest = 128
	legal := regexp.MustCompile("^[" + typeCharacters + "]*$")
	described := schema{"pattern": "^[" + typeCharacters + "]+$", "maxLength": longest}
	return textKind(described, func(text string) (string, *complaint) {
		switch {
		case text == "":
			return "", &complaint{message: "the type is empty", hint: `write "*" for all types`}
		case len(text) > longest:
			return "", &complaint{message: fmt.Sprintf("the type is longer than %d characters", longest),
				hint: "end it with a *"}
		}
		for i, r := range text {
			if !legal.MatchString(string(r)) {
				return "", &complaint{
					message: fmt.Sprintf("a type has no %q", r),
					hint:    "write types like push, pull_request.opened or pull_request.*; * stands for any text",
					offset:  i,
				}
			}
		}
		return text, nil
	})
}

// program is a filter in jq.
func program() kind[*filter.Program] {
	described := schema{"minLength": 1, "maxLength": filter.MaxProgram}
	return textKind(described, func(text string) (*filter.Program, *complaint) {
		if strings.TrimSpace(text) == "" {
			return nil, &complaint{message: "the filter is empty",
				hint: "write jq, such as .ref == \"refs/heads/main\", or remove the key"}
		}
		p, err := filter.Compile(text)
		if err == nil {
			return p, nil
		}
		c := &complaint{message: "this is not jq: " + err.Error(), hint: jqHint("")}
		if syntax := (*filter.SyntaxError)(nil); errors.As(err, &syntax) {
			c.message, c.offset = "this is not jq: "+syntax.Message, syntax.Offset
			c.hint = jqHint(text[min(max(syntax.Offset, 0), len(text)):])
		}
		return nil, c
	})
}

var (
	jqBareWord = regexp.MustCompile(`^(\pL[\pL_0-9-]*([\s/),}\]]|$)|')`)
	jqOperator = regexp.MustCompile(`^(&&?|\|\||!)`)
)

// jqHint guesses what to do about a mistake in a program from what is written
// where it was noticed.
func jqHint(rest string) string {
	switch {
	case jqOperator.MatchString(rest):
		return "jq has and, or and not: .a and (.b | not)"
	case jqBareWord.MatchString(rest):
		return "a text is in double quotes, such as .ref == \"refs/heads/main\""
	}
	return "try it on a captured payload: jq 'PROGRAM' payload.json"
}

// secretRef is a reference to a secret. No problem with it repeats its text.
func secretRef() kind[secret.Ref] {
	read := func(d *decoder, n *node) (secret.Ref, bool) {
		if !d.expect(n, scalar, secret.Bare) {
			return secret.Ref{}, false
		}
		ref, err := secret.Parse(n.text)
		if err != nil {
			d.rejectSecret(n, err)
			return secret.Ref{}, false
		}
		if ref.Insecure() {
			d.warnInsecure(n)
		}
		return ref, true
	}
	return kind[secret.Ref]{
		schema: schema{"type": "string", "pattern": "^[a-z][a-z-]*:.+"},
		read:   read,
	}
}

func (d *decoder) warnInsecure(n *node) {
	d.warn(n, "the secret itself is in this file", "for anything but a test, "+secret.Bare)
}

// rejectSecret keeps a problem that package secret found.
func (d *decoder) rejectSecret(n *node, err error) {
	message, hint := err.Error(), ""
	if known := (*secret.Error)(nil); errors.As(err, &known) {
		hint = known.Hint
	}
	d.reject(n, message, hint)
}

// clip bounds a text from the file in a message.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
