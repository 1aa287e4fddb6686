package signature

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A canonicalForm is a way in which a provider writes a request, or its fields,
// before it signs them. In a template it is a name in braces.
type canonicalForm struct {
	name   string
	render func(in *reading) ([]byte, *Error)
	binds  bool   // all of the body is in it
	url    bool   // the URL is in it
	json   bool   // it is made of fields of the JSON document
	reads  string // the variable that lists the headers in it; empty if none
	lists  string // what is listed by default
}

func findForm(name string) (canonicalForm, bool) {
	for _, f := range canonicalForms() {
		if f.name == name {
			return f, true
		}
	}
	return canonicalForm{}, false
}

func canonicalForms() []canonicalForm {
	return []canonicalForm{
		{name: "form_sorted", render: formSorted, binds: true},
		{name: "json_sorted", render: jsonSorted, binds: true, json: true},
		{name: "payos_data", render: payosData, json: true},
		{name: "hook0_headers", render: hook0Headers, reads: "headers", lists: "content-type"},
		{name: "contentful_path", render: contentfulPath, url: true},
		{name: "contentful_headers", render: contentfulHeaders, reads: "headers", lists: "x-contentful-timestamp"},
		{name: "plivo_request", render: plivoRequest, url: true, binds: true},
		{name: "atlassian_query", render: atlassianQuery, url: true},
		{name: "host", render: hostOfURL, url: true},
	}
}

// signedFields returns the fields of a form that is signed by its fields. A body
// that is no form, or that cannot be read, is refused: nothing would be signed
// of it.
func (in *reading) signedFields() (url.Values, *Error) {
	fields := in.fields()
	if in.formErr != nil {
		return nil, refuse(ReasonMalformedValue, "the fields of the form are signed, and it cannot be read: %v", in.formErr)
	}
	return fields, nil
}

// formSorted writes keys and values one after the other, sorted by key; of a key
// that is there more than once, each value once, sorted. It is how Twilio and
// Mandrill sign forms.
func formSorted(in *reading) ([]byte, *Error) {
	fields, err := in.signedFields()
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, key := range sortedKeys(fields) {
		values := slices.Clone(fields[key])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			text = append(append(text, key...), value...)
		}
	}
	return text, nil
}

func sortedKeys(values url.Values) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}

// jsonSorted writes the JSON document with the keys of all objects sorted, as
// NOWPayments does.
func jsonSorted(in *reading) ([]byte, *Error) {
	doc, err := parseJSON(in.document())
	if err != nil {
		return nil, refuse(ReasonMalformedValue, "the fields of the JSON document are signed, and it cannot be read: %v", err)
	}
	doc.sort(maxJSONDepth)
	return doc.append(nil), nil
}

// payosData writes the fields of data, sorted, as name=value with "&" between
// them. Null is empty, and an array is JSON with the keys of its objects sorted.
func payosData(in *reading) ([]byte, *Error) {
	doc, err := parseJSON(in.document())
	i := slices.IndexFunc(doc.members, func(m jsonMember) bool { return m.name == "data" })
	if err != nil || i < 0 || doc.members[i].value.token != json.Delim('{') {
		return nil, refuse(ReasonMissingValue, "json field data is no object, and is signed")
	}
	data := doc.members[i].value
	data.sort(1)
	var text []byte
	for i := range data.members {
		if i > 0 {
			text = append(text, '&')
		}
		text = append(append(text, data.members[i].name...), '=')
		value := &data.members[i].value
		switch token := value.token.(type) {
		case nil:
		case string:
			if token != "null" && token != "undefined" {
				text = append(text, token...)
			}
		case json.Delim:
			if token == '{' {
				text = append(text, "[object Object]"...) // what JavaScript makes of one
				continue
			}
			value.sort(2) //nolint:mnd // the array, and the objects in it
			text = value.append(text)
		default:
			text = append(text, value.scalar()...)
		}
	}
	return text, nil
}

// listed returns the names in a variable that lists headers.
func (in *reading) listed(variable, sep string) []string {
	slot, ok := in.scheme.slot(variable)
	if !ok || in.variables[slot] == "" {
		return nil
	}
	return strings.Split(in.variables[slot], sep)
}

// signedHeader returns the value of a header that is signed because the sender
// lists it.
func (in *reading) signedHeader(name string) (string, *Error) {
	value, err := single(in.Header[http.CanonicalHeaderKey(name)])
	switch {
	case err != nil:
		return "", refuse(ReasonDuplicateHeader, "%s %v", headerName(name), err)
	case value == "":
		return "", refuse(ReasonMissingValue, "%s is absent, and is signed", headerName(clip(name)))
	}
	return value, nil
}

// hook0Headers writes the values of the headers that {headers} lists, with "."
// between them, as Hook0 and Coinbase do.
func hook0Headers(in *reading) ([]byte, *Error) {
	var values []string
	for _, name := range in.listed("headers", " ") {
		value, err := in.signedHeader(name)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return []byte(strings.Join(values, ".")), nil
}

// contentfulHeaders writes the headers that {headers} lists, sorted, as
// name:value with ";" between them. The time must be one of them.
func contentfulHeaders(in *reading) ([]byte, *Error) {
	names := in.listed("headers", ",")
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSpace(names[i]))
	}
	if !slices.Contains(names, "x-contentful-timestamp") {
		return nil, refuse(ReasonMissingValue, "the timestamp is not one of the headers that are signed")
	}
	slices.Sort(names)
	for i, name := range names {
		value, err := in.signedHeader(name)
		if err != nil {
			return nil, err
		}
		names[i] += ":" + strings.TrimSpace(value)
	}
	return []byte(strings.Join(names, ";")), nil
}

// contentfulPath writes the path, and the query escaped as if it were one value.
// The whole is escaped once more.
func contentfulPath(in *reading) ([]byte, *Error) {
	uri, err := urlOperand(operandURI, in.URL)
	if err != nil {
		return nil, err
	}
	path, query, ok := strings.Cut(string(uri), "?")
	if ok && query != "" {
		path += "?" + escapeComponent(query, "!'()*")
	}
	const whole = ";,/?:@&=+$-_.!~*'()#" // what encodeURI leaves as it is
	return []byte(escapeComponent(path, whole)), nil
}

// escapeComponent escapes all but letters, digits, "-_.~", and the characters of
// but.
func escapeComponent(text, but string) string {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if isAlphanumeric(c) || strings.IndexByte("-_.~", c) >= 0 || strings.IndexByte(but, c) >= 0 {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}

// sortedPairs returns names and values, sorted by both.
func sortedPairs(values url.Values, between string) []string {
	var pairs []string
	for _, name := range sortedKeys(values) {
		sorted := slices.Sorted(slices.Values(values[name]))
		for _, value := range sorted {
			pairs = append(pairs, name+between+value)
		}
	}
	return pairs
}

// plivoRequest writes the URL with its query sorted, and the fields of the form
// of a POST after it.
func plivoRequest(in *reading) ([]byte, *Error) {
	var fields url.Values
	var err *Error
	switch {
	case in.Method == http.MethodPost:
		if fields, err = in.signedFields(); err != nil {
			return nil, err
		}
	case len(in.Body) > 0:
		return nil, refuse(ReasonMalformedValue, "only the body of a POST is signed")
	}
	query := in.parameters()
	text, _, _ := strings.Cut(in.URL, "?")
	if len(query) > 0 || len(fields) > 0 {
		text += "?" + strings.Join(sortedPairs(query, "="), "&")
	}
	if len(query) > 0 && len(fields) > 0 {
		text += "."
	}
	return []byte(text + strings.Join(sortedPairs(fields, ""), "")), nil
}

// atlassianQuery writes method, path and query as Atlassian Connect hashes them:
// https://developer.atlassian.com/cloud/jira/platform/understanding-jwt/.
func atlassianQuery(in *reading) ([]byte, *Error) {
	path, err := urlOperand(operandPath, in.URL)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSuffix(strings.ReplaceAll(string(path), "&", "%26"), "/")
	if text == "" {
		text = "/"
	}
	var pairs []string
	query := in.parameters()
	for _, name := range sortedKeys(query) {
		if name == "jwt" {
			continue
		}
		values := slices.Sorted(slices.Values(query[name]))
		for i := range values {
			values[i] = escapeComponent(values[i], "")
		}
		pairs = append(pairs, escapeComponent(name, "")+"="+strings.Join(values, ","))
	}
	return []byte(strings.ToUpper(in.Method) + "&" + text + "&" + strings.Join(pairs, "&")), nil
}

// hostOfURL writes the host, and the port if there is one.
func hostOfURL(in *reading) ([]byte, *Error) {
	u, err := url.Parse(in.URL)
	if err != nil || u.Host == "" {
		return nil, refuse(ReasonMissingValue, "the host is not known, and is signed")
	}
	return []byte(u.Host), nil
}
