package signature_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/signature"
)

func TestIdentifyGitHub(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body            string
		event, delivery       []string
		wantType, wantSubtype string
		wantID                string
	}{
		{
			name: "opened", body: `{"action":"opened"}`, event: []string{"pull_request"},
			delivery: []string{"1-2"}, wantType: "pull_request", wantSubtype: "opened", wantID: "1-2",
		},
		{name: "push has no action", body: `{"action":"opened"}`, event: []string{"push"}, wantType: "push"},
		{
			name:  "action at the end",
			body:  "\r\n{ \"a\" : [1, {\"action\":\"no\"}, \"]\"] , \"b\\\"\":\"\\\\\", \"action\" : \"closed\" }",
			event: []string{"issues"}, wantType: "issues", wantSubtype: "closed",
		},
		{name: "only below", body: `{"x":{"action":"no"}}`, event: []string{"ping"}, wantType: "ping"},
		{
			name: "escaped key", body: `{"\u0061ction":"opened"}`, event: []string{"issues"},
			wantType: "issues", wantSubtype: "opened",
		},
		{
			name: "escaped value", body: `{"action":"\u006fpened"}`, event: []string{"issues"},
			wantType: "issues", wantSubtype: "opened",
		},
		{name: "no string", body: `{"action":{"action":"x"}}`, event: []string{"issues"}, wantType: "issues"},
		{name: "null", body: `{"action":null}`, event: []string{"issues"}, wantType: "issues"},
		{
			name: "of two words", body: `{"action":"component updated"}`,
			event: []string{"repository_dispatch"}, wantType: "repository_dispatch", wantSubtype: "component updated",
		},
		{name: "not JSON", body: `action=opened`, event: []string{"issues"}, wantType: "issues"},
		{name: "cut short", body: `{"action":"ope`, event: []string{"issues"}, wantType: "issues"},
		{name: "empty", event: []string{""}, delivery: []string{""}},
		{name: "absent"},
		{name: "twice", event: []string{"push", "ping"}, delivery: []string{"1", "2"}},
		{name: "all characters", event: []string{"aZ0_.:/-"}, wantType: "aZ0_.:/-"},
		{name: "space", event: []string{"Push Hook"}, wantType: "Push Hook"},
		{name: "brackets", event: []string{"push[x]"}},
		{name: "line break", event: []string{"push\nx"}, delivery: []string{"a\r\nb"}},
		{name: "not ASCII", event: []string{"p\u00fcsh"}, delivery: []string{"\u00e9"}},
		{
			name: "longest", event: []string{strings.Repeat("t", 128)},
			delivery: []string{strings.Repeat("~", 256)}, wantType: strings.Repeat("t", 128),
			wantID: strings.Repeat("~", 256),
		},
		{name: "too long", event: []string{strings.Repeat("t", 129)}, delivery: []string{strings.Repeat("~", 257)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"X-Github-Event": test.event, "X-Github-Delivery": test.delivery}
			typ, subtype, id := signature.GitHub.Identify(&signature.Request{Header: h, Body: []byte(test.body)})
			if typ != test.wantType || subtype != test.wantSubtype || id != test.wantID {
				t.Errorf("got %q, %q, %q", typ, subtype, id)
			}
		})
	}
}

func TestIdentifyByOtherPlaces(t *testing.T) {
	t.Parallel()
	read := []signature.Read{{From: "x", Pattern: "{sig}"}}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	for _, test := range []struct {
		spec   signature.Spec
		header http.Header
		body   string
		want   [3]string
	}{
		{
			signature.Spec{Name: "x", Read: read, Type: "json:0.event", ID: "json:0.ids.1"}, nil,
			`[{"ids":["a",17,"c"],"event":"x.y"}]`, [3]string{"x.y", "", "17"},
		},
		{
			signature.Spec{Name: "x", Read: read, Type: "json:a.b", Subtype: "json:a.c", ID: "json:z"}, nil,
			`{"a":{"b":true,"c":"d"}}`, [3]string{"true", "d", ""},
		},
		{signature.Spec{Name: "x", Read: read, Type: "json:5.a"}, nil, `[]`, [3]string{}},
		{
			signature.Spec{Name: "x", Read: read, Type: "form:event", ID: "form:id"}, form,
			`event=a.b&id=1+2`, [3]string{"a.b", "", "1 2"},
		},
		{signature.Spec{Name: "x", Read: read, Type: "form:event"}, form, `event=a&event=b`, [3]string{}},
		{signature.Spec{Name: "x", Read: read, Type: "form:event"}, form, `event=%zz`, [3]string{}},
		{signature.Spec{Name: "x", Read: read, Type: "form:event"}, nil, `event=a`, [3]string{}},
		{signature.Spec{Name: "x", Read: read, Type: "query:event"}, nil, ``, [3]string{}},
		{signature.Spec{Name: "x", Read: read}, nil, `{"type":"x"}`, [3]string{}},
	} {
		typ, subtype, id := newScheme(t, test.spec).Identify(&signature.Request{Header: test.header, Body: []byte(test.body)})
		if got := [3]string{typ, subtype, id}; got != test.want {
			t.Errorf("%+v on %s: got %q, want %q", test.spec, test.body, got, test.want)
		}
	}
	if typ, subtype, id := (*signature.Scheme)(nil).Identify(nil); typ+subtype+id != "" {
		t.Error("a nil scheme identifies something")
	}
}
