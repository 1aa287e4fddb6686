package signature

import (
	"errors"
	"fmt"
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
	fromBody // all of it
)

// maxNumbered is how many headers of one name with a number may be read.
const maxNumbered = 100

// A source is a place in a request where one value is found.
type source struct {
	kind     sourceKind
	name     string   // the canonical header, the field, or the path as written
	names    []string // fromNumbered: the headers
	path     []string // fromJSON
	optional bool
}

// parseSource reads the text of [Read.From] and of the selectors: "json:a.b",
// "form:a", "query:a", "header:a" or only "a", and "body".
func parseSource(text string) (source, error) {
	kind, name, ok := strings.Cut(text, ":")
	if !ok {
		kind, name = "header", text
	}
	var s source
	name, s.optional = strings.CutSuffix(name, "?")
	s.name = name
	switch {
	case text == "body":
		s.kind = fromBody
	case kind == "header":
		return headerSource(s, text)
	case kind == "json":
		s.kind, s.path = fromJSON, strings.Split(name, ".")
		if slices.Contains(s.path, "") {
			return source{}, fmt.Errorf("%q has an empty step in its path", clip(text))
		}
		if i := slices.Index(s.path, everyItem); i >= 0 && slices.Contains(s.path[i+1:], everyItem) {
			return source{}, fmt.Errorf("%q has more than one * in its path", clip(text))
		}
	case kind == "form":
		s.kind = fromForm
	case kind == "query":
		s.kind = fromQuery
	default:
		return source{}, fmt.Errorf("%q is none of header:, json:, form: and query: with a name, or body", clip(text))
	}
	if name == "" {
		return source{}, fmt.Errorf("%q names nothing", clip(text))
	}
	return s, nil
}

// headerSource completes s, which is a header or a run of numbered headers.
func headerSource(s source, text string) (source, error) {
	stem, numbered := strings.CutSuffix(s.name, "-#")
	if !validHeaderName(stem) {
		return source{}, fmt.Errorf("%q does not name a header", clip(text))
	}
	s.kind, s.name = fromHeader, http.CanonicalHeaderKey(s.name)
	if numbered {
		s.kind = fromNumbered
		for i := range maxNumbered + 1 {
			s.names = append(s.names, http.CanonicalHeaderKey(stem+"-"+strconv.Itoa(i+1)))
		}
	}
	return s, nil
}

// parseSelector is parseSource for a place that may be left out.
func parseSelector(text string) (source, error) {
	if text == "" {
		return source{}, nil
	}
	s, err := parseSource(text)
	if err == nil && (s.kind == fromNumbered || s.kind == fromBody) {
		err = fmt.Errorf("%q is not one value", clip(text))
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
	case fromBody:
		return "the body"
	case fromNowhere:
	}
	return "nothing"
}

var (
	// errTwice says that a value is there more than once. Programs differ in which
	// one they take, so none is taken.
	errTwice = errors.New("is there more than once")
	// errDiffers says that the values of all items of a list are not one value.
	errDiffers = errors.New("is not the same in every item")
)

// A view is a request whose form, query and JSON document are found at most once,
// and only if something asks for them.
type view struct {
	*Request

	jsonFrom *source // where the JSON document is, if not the body

	form, query url.Values
	formErr     error
	doc         []byte
	docFound    bool
}

// value returns what is at s, or "" if there is nothing.
func (v *view) value(s *source) (string, error) {
	switch s.kind {
	case fromHeader:
		return single(v.Header[s.name])
	case fromJSON:
		return v.jsonValue(s)
	case fromForm:
		return single(v.fields()[s.name])
	case fromQuery:
		return single(v.parameters()[s.name])
	case fromBody:
		return string(v.Body), nil
	case fromNowhere, fromNumbered:
	}
	return "", nil
}

func (v *view) jsonValue(s *source) (string, error) {
	if i := slices.Index(s.path, everyItem); i >= 0 {
		return everyJSON(v.document(), s.path[:i], s.path[i+1:])
	}
	text, _ := lookupJSON(v.document(), s.path)
	return text, nil
}

// document returns the JSON document of the request: the body, unless it is said
// to be elsewhere. An optional place is used only if the body is a form.
func (v *view) document() []byte {
	if v.jsonFrom == nil || v.jsonFrom.optional && !isForm(v.Header) {
		return v.Body
	}
	if !v.docFound {
		text, _ := v.value(v.jsonFrom) // what is there twice is no document
		v.doc, v.docFound = []byte(text), true
	}
	return v.doc
}

// fields returns the fields of the form. There are none if the body is no form,
// or if it cannot be read as one, which formErr then says.
func (v *view) fields() url.Values {
	if v.form == nil {
		v.form, v.formErr = parseForm(v.Header, v.Body)
	}
	return v.form
}

// parameters returns the query of the URL.
func (v *view) parameters() url.Values {
	if v.query == nil {
		v.query = parseQuery(v.URL)
	}
	return v.query
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
