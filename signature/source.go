package signature

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type sourceKind int

const (
	fromNowhere sourceKind = iota
	fromHeader
	fromNumbered // headers of one name with -1, -2, ... at its end
	fromJSON
	fromForm
	fromQuery
)

// A source is a place in a request where one value is found.
type source struct {
	kind     sourceKind
	name     string   // the canonical header, the field, or the path as written
	names    []string // fromNumbered: the headers, one more than may be used
	path     []string // fromJSON
	optional bool
}

// parseSource reads the text of [Read.From] and of the selectors: "json:a.b",
// "form:a", "query:a", "header:a" or only "a".
func parseSource(text string) (source, error) {
	kind, name, ok := strings.Cut(text, ":")
	if !ok {
		kind, name = "header", text
	}
	var s source
	name, s.optional = strings.CutSuffix(name, "?")
	s.name = name
	switch kind {
	case "header":
		s.kind = fromHeader
		if stem, ok := strings.CutSuffix(name, "-#"); ok {
			s.kind, name = fromNumbered, stem
			for i := range maxSignatures + 1 {
				s.names = append(s.names, http.CanonicalHeaderKey(stem+"-"+strconv.Itoa(i+1)))
			}
		}
		if !validHeaderName(name) {
			return source{}, fmt.Errorf("%q does not name a header", clip(text))
		}
		s.name = http.CanonicalHeaderKey(name)
	case "json":
		s.kind, s.path = fromJSON, strings.Split(name, ".")
		if slices.Contains(s.path, "") {
			return source{}, fmt.Errorf("%q has an empty step in its path", clip(text))
		}
	case "form":
		s.kind = fromForm
	case "query":
		s.kind = fromQuery
	default:
		return source{}, fmt.Errorf("%q is none of header:, json:, form: and query: with a name", clip(text))
	}
	if name == "" {
		return source{}, fmt.Errorf("%q names nothing", clip(text))
	}
	return s, nil
}

// parseSelector is parseSource for a place that may be left out.
func parseSelector(text string) (source, error) {
	if text == "" {
		return source{}, nil
	}
	s, err := parseSource(text)
	if err == nil && s.kind == fromNumbered {
		err = fmt.Errorf("%q names many headers", clip(text))
	}
	return s, err
}

// String names the place, for messages.
func (s *source) String() string {
	switch s.kind {
	case fromHeader:
		return headerName(s.name)
	case fromNumbered:
		return headerName(s.names[0])
	case fromJSON:
		return "json field " + s.name
	case fromForm:
		return "form field " + s.name
	case fromQuery:
		return "query parameter " + s.name
	case fromNowhere:
	}
	return "nothing"
}

// errTwice says that a value is there more than once. Programs differ in which
// one they take, so none is taken.
var errTwice = errors.New("is there more than once")

// A view is a request whose form and query are parsed at most once, and only if
// something asks for them.
type view struct {
	*Request

	form, query url.Values
}

// value returns what is at s, or "" if there is nothing.
func (v *view) value(s *source) (string, error) {
	switch s.kind {
	case fromHeader:
		return single(v.Header[s.name])
	case fromJSON:
		text, _ := lookupJSON(v.Body, s.path)
		return text, nil
	case fromForm:
		if v.form == nil {
			v.form = parseForm(v.Header, v.Body)
		}
		return single(v.form[s.name])
	case fromQuery:
		if v.query == nil {
			v.query = parseQuery(v.URL)
		}
		return single(v.query[s.name])
	case fromNowhere, fromNumbered:
	}
	return "", nil
}

func single(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", errTwice
}

// parseForm returns the fields of a form, and none for a body of another type.
// A form that cannot be read has none either, so what needs them is missing.
func parseForm(header http.Header, body []byte) url.Values {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return url.Values{}
	}
	return values
}

func parseQuery(rawURL string) url.Values {
	u, err := url.Parse(rawURL)
	if err != nil {
		return url.Values{}
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return url.Values{}
	}
	return values
}

// validHeaderName reports whether name is a token of RFC 9110.
func validHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != "" && len(name) <= 128
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
