package schema_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/schema"
)

// mismatch returns what Check says of a body; empty if it matches.
func mismatch(t *testing.T, set *schema.Set, typ string, header http.Header, body string) string {
	t.Helper()
	err := set.Check(typ, header, []byte(body))
	if err == nil {
		return ""
	}
	var m *schema.Mismatch
	if !errors.As(err, &m) {
		t.Fatalf("Check returns %T, want a *Mismatch: %v", err, err)
	}
	return m.Error()
}

func compile(t *testing.T, text string) *schema.Set {
	t.Helper()
	set, err := schema.Compile("test.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const order = `{"type": "object", "required": ["id", "state"], "additionalProperties": false, "properties": {
		"id": {"type": "integer"},
		"state": {"enum": ["open", "paid"]},
		"kind": {"const": "order"},
		"mail": {"pattern": "^[^@]+@[^@]+$"},
		"total": {"minimum": 0, "maximum": 1000, "multipleOf": 0.01},
		"lines": {"minItems": 1, "items": {"type": "object", "required": ["sku"]}},
		"tags": {"type": ["array", "null"], "uniqueItems": true},
		"pay": {"oneOf": [{"type": "null"}, {"type": "object", "required": ["card"]}, {"type": "string"}]},
		"a/b~c": {"maxLength": 3}}}`
	set := compile(t, order)
	for body, want := range map[string]string{
		`{"id":1,"state":"open"}`:                                 "",
		`{"id":12345678901234567890,"state":"paid"}`:              "",
		`{"id":1.0,"state":"paid","pay":null}`:                    "",
		`[]`:                                                      `the payload: expected object, got array`,
		`{"state":"open"}`:                                        `/id: expected a value, got nothing`,
		`{"id":"1","state":"open"}`:                               `/id: expected integer, got string`,
		`{"id":1.5,"state":"open"}`:                               `/id: expected integer, got number`,
		`{"id":1,"state":"closed"}`:                               `/state: expected one of "open", "paid", got "closed"`,
		`{"id":1,"state":null}`:                                   `/state: expected one of "open", "paid", got null`,
		`{"id":1,"state":"open","kind":"offer"}`:                  `/kind: expected "order", got "offer"`,
		`{"id":1,"state":"open","mail":"nobody, secret"}`:         `/mail: expected text that matches "^[^@]+@[^@]+$", got another`,
		`{"id":1,"state":"open","total":-1}`:                      `/total: expected at least 0, got less`,
		`{"id":1,"state":"open","total":0.001}`:                   `/total: expected a multiple of 1/100, got another number`,
		`{"id":1,"state":"open","lines":[]}`:                      `/lines: expected at least 1 items, got 0`,
		`{"id":1,"state":"open","lines":[{"sku":1},{}]}`:          `/lines/1/sku: expected a value, got nothing`,
		`{"id":1,"state":"open","lines":[{},7,{}]}`:               `/lines/1: expected object, got number`,
		`{"id":1,"state":"open","tags":["a","b","a"]}`:            `/tags: expected items that differ, got 0 and 2, which are equal`,
		`{"id":1,"state":"open","tags":"a"}`:                      `/tags: expected null or array, got string`,
		`{"id":1,"state":"open","pay":{}}`:                        `/pay/card: expected a value, got nothing`,
		`{"id":1,"state":"open","pay":7}`:                         `/pay: expected null or object or string, got number`,
		`{"id":1,"state":"open","a/b~c":"four"}`:                  `/a~1b~0c: expected text of at most 3 characters, got 4`,
		`{"id":1,"state":"open","zap":1}`:                         `/zap: expected no property of this name, got one`,
		`{"id":1,"state":"open","z\u000ap":1}`:                    `/z\np: expected no property of this name, got one`,
		`{"id":"1","lines":[{}],"state":"x"}`:                     `/id: expected integer, got string`,
		``:                                                        `the payload: expected JSON, got an empty body`,
		`{"id":1,"state":"open"`:                                  `the payload: expected JSON, got what is none at byte 22`,
		`id=1&state=open`:                                         `the payload: expected JSON, got what is none at byte 0`,
		`{"id":1,"state":"open"}{}`:                               `the payload: expected one JSON value, got more after it`,
		`{"id":1,"state":"open","pay":{"card":1,"a":1,"card":2}}`: `/pay/card: expected one value, got the key twice`,
		`{"id":1e999999,"state":"open"}`:                          `/id: expected a number with an exponent of at most 1000, got more`,
		`{"id":1e-99999999999999999999,"state":"open"}`:           `/id: expected a number with an exponent of at most 1000, got more`,
		`{"id":1` + strings.Repeat("0", 1000) + `}`:               `/id: expected a number of at most 1000 bytes, got more`,
	} {
		t.Run(body[:min(len(body), 40)], func(t *testing.T) {
			t.Parallel()
			if got := mismatch(t, set, "order.created", nil, body); got != want {
				t.Errorf("%s\n got %s\nwant %s", body, got, want)
			}
		})
	}
}

// What a stranger sends is told in few words, whatever it is.
func TestMismatchIsShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("secret", 1000)
	set := compile(t, `{"additionalProperties": {"enum": ["`+strings.Repeat("x", 500)+`"]}}`)
	for _, body := range []string{
		`{"a":"` + long + `"}`, `{"` + long + `":1}`, `{"` + long + `":1,"` + long + `":1}`, long,
	} {
		if got := mismatch(t, set, "", nil, body); got == "" || len(got) > 650 || strings.Contains(body[:6], `{"a":`) && strings.Contains(got, "secret") {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
	if got, want := mismatch(t, set, "", nil, `{"a":"`+long+`"}`), "got a text of 6000 bytes"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s at its end", got, want)
	}
}

func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	set := compile(t, `{"anyOf": [{"type": "array"}, {"type": "object"}]}`)
	for name, test := range map[string]struct{ body, want string }{
		"deep":       {strings.Repeat("[", schema.MaxDepth) + strings.Repeat("]", schema.MaxDepth), ""},
		"too deep":   {strings.Repeat("[", schema.MaxDepth+1) + strings.Repeat("]", schema.MaxDepth+1), "expected at most 64 levels, got more"},
		"unended":    {strings.Repeat("[", 1<<20), "expected at most 64 levels, got more"},
		"many":       {"[" + strings.Repeat("1,", schema.MaxValues) + "1]", "the payload: expected at most 262144 values, got more"},
		"large":      {strings.Repeat(" ", schema.MaxBody) + "[]", "the payload: expected at most 26214400 bytes, got more"},
		"form":       {strings.Repeat("&", schema.MaxValues+1), "the payload: expected at most 262144 fields, got more"},
		"not text":   {"[\"\xff\\ud800\"]", ""},
		"wrong form": {"a=%zz", "the payload: expected a form, as the content type says, got what cannot be read as one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if strings.HasSuffix(name, "form") {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			if got := mismatch(t, set, "", header, test.body); !strings.HasSuffix(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	wide := compile(t, `{"items": {"anyOf": [`+strings.Repeat(`{"type": "string"},`, 31)+`true]}}`)
	body := "[" + strings.Repeat("1,", schema.MaxValues/4) + "1]"
	if got, want := mismatch(t, wide, "", nil, body), "the payload: expected at most 32768 values, got more"; got != want {
		t.Errorf("got %s of 32 alternatives, want %s", got, want)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	push, err := sample.GitHub("push", "")
	if err != nil {
		t.Fatal(err)
	}
	payload := url.Values{"payload": {string(push.Body)}}.Encode()
	if got := mismatch(t, schema.GitHub(), "push", header, payload); got != "" {
		t.Errorf("GitHub's form does not match: %s", got)
	}
	if mismatch(t, schema.GitHub(), "push", nil, payload) == "" {
		t.Error("a form is read as one although the content type does not say so")
	}
	set := compile(t, `{"required": ["text"], "properties": {"text": {"type": "string"}, "to": {"type": "array"}}}`)
	for body, want := range map[string]string{
		"text=hello&to=a&to=b":      "",
		"to=a&to=b":                 "/text: expected a value, got nothing",
		"text=a&text=b":             "/text: expected string, got array",
		"payload=%7B%7D":            "/text: expected a value, got nothing",
		"payload=%7B%7D&payload=":   "the payload: expected one field payload in the form, got 2",
		"payload=text":              "the payload: expected JSON, got what is none at byte 1",
		"payload=%7B%22text%22%3A1": "the payload: expected JSON, got what is none at byte 9",
	} {
		if got := mismatch(t, set, "", header, body); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                     "schema test.json: the payload: expected JSON, got an empty body",
		`{"type": "strng"}`:    `schema test.json: /type: expected`,
		`{"type": 1}`:          `schema test.json: /type: expected`,
		`{"a": 1, "a": 2}`:     "schema test.json: /a: expected one value, got the key twice",
		`{"pattern": "(?=a)"}`: "schema test.json: /pattern: expected a regular expression of RE2, as Go reads it, got another",
		`{"properties": {"a": {"$ref": "https://example.com/a.json#/x"}}}`:                                 `schema test.json: /properties/a/$ref refers to "https://example.com/a.json#/x", which is not in this file: nothing is fetched, so put it under $defs`,
		`{"properties": {"a": {"$ref": "a.json"}}}`:                                                        `schema test.json: /properties/a/$ref refers to "a.json", which is not in this file`,
		`{"$id": "https://example.com/b/", "$defs": {"x": {"items": {"$ref": "c"}}}, "$ref": "#/$defs/x"}`: `schema test.json: /$defs/x/items/$ref refers to "c", which is not in this file`,
		`{"$schema": "https://example.com/draft"}`:                                                         `schema test.json: /$schema refers to "https://example.com/draft", which is not in this file`,
		`{"$ref": "file:///etc/passwd"}`:                                                                   `schema test.json: /$ref refers to "file:///etc/passwd", which is not in this file`,
		`{"$ref": "#/$defs/none"}`:                                                                         `schema test.json: `,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := schema.Compile("test.json", []byte(text))
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
	if _, err := schema.Compile("large.json", make([]byte, schema.MaxFile+1)); err == nil {
		t.Error("a schema of any size is read")
	}
}

func TestCompileAccepts(t *testing.T) {
	t.Parallel()
	for text, bodies := range map[string][2]string{ // one that matches, one that does not
		`true`: {`1`, ``},
		`{"$defs": {"id": {"type": "integer"}}, "$ref": "#/$defs/id"}`:                                 {`1`, `"1"`},
		`{"$id": "https://example.com/a", "$defs": {"b": {"$id": "b", "type": "null"}}, "$ref": "b"}`:  {`null`, `1`},
		`{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}`:        {`["a"]`, `[1]`},
		`{"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"const": "a"}]}`: {`["a"]`, `["b"]`},
		`{"properties": {"next": {"$ref": "#"}}, "additionalProperties": false}`:                       {`{"next":{"next":{}}}`, `{"next":{"last":1}}`},
		`{"not": {"type": "null"}}`: {`1`, `null`},
	} {
		set := compile(t, text)
		if got := mismatch(t, set, "any", nil, bodies[0]); got != "" {
			t.Errorf("%s refuses %s: %s", text, bodies[0], got)
		}
		if mismatch(t, set, "any", nil, bodies[1]) == "" {
			t.Errorf("%s accepts %s", text, bodies[1])
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deploy.json")
	if err := os.WriteFile(path, []byte(`{"type": "object"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := schema.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !set.Knows("deploy") || mismatch(t, set, "deploy", nil, "[]") == "" {
		t.Error("the schema of a file does not apply to every type")
	}
	if _, err := schema.Load(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for no file", err)
	}
}

func TestByType(t *testing.T) {
	t.Parallel()
	number, text, nothing := compile(t, `{"type": "number"}`), compile(t, `{"type": "string"}`), compile(t, `false`)
	set, err := schema.ByType(map[string]*schema.Set{
		"order": number, "order.*": text, "order.paid": number, "or*.created": number, "*.refused": nothing, "push": schema.GitHub(),
	}, route.MatchType)
	if err != nil {
		t.Fatal(err)
	}
	for typ, accepts := range map[string]string{
		"order": "1", "order.sent": `"x"`, "order.paid": "1", "order.created": "1", "orders": "any", "push.more": "any",
	} {
		for _, body := range []string{"1", `"x"`} {
			if got := mismatch(t, set, typ, nil, body); (got == "") != (body == accepts || accepts == "any") {
				t.Errorf("%s of type %s: %q", body, typ, got)
			}
		}
		if set.Knows(typ) != (accepts != "any") {
			t.Errorf("Knows(%q) is %t", typ, set.Knows(typ))
		}
	}
	if got := mismatch(t, set, "push.refused", nil, "1"); got != "the payload: expected nothing, got a value" {
		t.Errorf("a schema that is false: %s", got)
	}
	if _, err := schema.ByType(map[string]*schema.Set{"": number}, route.MatchType); err == nil {
		t.Error("an empty pattern is taken")
	}
}

// One set serves every request, also while schemas are compiled.
func TestConcurrentChecks(t *testing.T) {
	t.Parallel()
	set := schema.GitHub()
	var work sync.WaitGroup
	for _, event := range []string{"push", "star", "issues", "pull_request", "fork", "push", "star", "watch"} {
		p, err := sample.GitHub(event, "")
		if err != nil {
			t.Fatal(err)
		}
		work.Go(func() {
			if err := set.Check(p.String(), nil, p.Body); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		})
	}
	work.Wait()
}

func FuzzCheck(f *testing.F) {
	// Small ones: the samples would be minimized for a minute each.
	f.Add("star.created", "application/json", []byte(`{"action":"created","starred_at":null,"sender":{"login":"a","id":1},`+
		`"repository":{"id":1,"name":"r","full_name":"o/r","created_at":1557933568,"license":null,"topics":["a"],"owner":{"login":"o","id":2}}}`))
	f.Add("push", "application/x-www-form-urlencoded", []byte("payload=%7B%7D&a=b"))
	f.Add("repository_dispatch.x", "", []byte(`{"action":"x","branch":null,"client_payload":{"a":[1e9,"\ud800"]}}`))
	f.Add("mine", "", []byte(`{"n":1e308,"a":[1,1.0,{"b":null}],"s":"aaaaaaaaaaaaaaaaaaaa"}`))
	mine, err := schema.Compile("mine.json", []byte(`{"unevaluatedProperties": false, "properties": {
		"n": {"type": "number", "multipleOf": 0.5, "maximum": 1e300},
		"a": {"uniqueItems": true, "contains": {"type": "number"}},
		"s": {"pattern": "^(a+)+$", "minLength": 3},
		"o": {"oneOf": [{"$ref": "#"}, {"type": ["null", "string"]}, {"propertyNames": {"maxLength": 2}, "minProperties": 1}]}}}`))
	if err != nil {
		f.Fatal(err)
	}
	github := schema.GitHub()
	f.Fuzz(func(t *testing.T, typ, kind string, body []byte) {
		header := http.Header{"Content-Type": {kind}}
		for _, set := range []*schema.Set{github, mine} {
			err := set.Check(typ, header, body)
			if err == nil {
				continue
			}
			var m *schema.Mismatch
			if !errors.As(err, &m) || m.Expected == "" || m.Got == "" {
				t.Fatalf("%T without words: %v", err, err)
			}
			if len(m.Pointer) > 200 || len(m.Expected) > 200 || len(m.Got) > 200 || strings.ContainsAny(err.Error(), "\n\r\x00\x1b") {
				t.Errorf("%q is long, or more than a line", err)
			}
			if again := fmt.Sprint(set.Check(typ, header, body)); again != err.Error() {
				t.Errorf("says %s, then %s", err, again)
			}
		}
	})
}
