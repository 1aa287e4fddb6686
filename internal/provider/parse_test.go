package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wellFormed = `title: Loom
docs: https://loom.example.com/webhooks
secret: yours to choose
setup: Open the settings: enter {url}.
setup: Save.
setting: webhook_id the id that Loom gave it

-- woven --
Content-Type: application/json; charset=utf-8
X-Loom-Event: woven

{
  "n": 1.50, "big": 12345678901234567890,
  "text": "Zo\u00eb  <wove>", "list": []
}
-- cut --
?type=cut&id=1
Content-Type: application/x-www-form-urlencoded
X-Loom-Event: cut

event=cut
payload[name]=Zoë & co
note=a=b

empty=
-- said --
Content-Type: text/plain

two
lines
`

func TestParse(t *testing.T) {
	t.Parallel()
	p, err := parse("loom", []byte(wellFormed))
	if err != nil {
		t.Fatal(err)
	}
	want := &Provider{
		Name: "loom", Title: "Loom", Docs: "https://loom.example.com/webhooks", Secret: "yours to choose",
		Setup:    []string{"Open the settings: enter {url}.", "Save."},
		Settings: []Setting{{Name: "webhook_id", About: "the id that Loom gave it"}},
		Events: []Event{
			{
				Type:   "woven",
				Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Loom-Event": {"woven"}},
				Body:   []byte(`{"n":1.50,"big":12345678901234567890,"text":"Zo\u00eb  <wove>","list":[]}`),
			},
			{
				Type: "cut", Query: "type=cut&id=1",
				Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Loom-Event": {"cut"}},
				Body:   []byte(`event=cut&payload%5Bname%5D=Zo%C3%AB+%26+co&note=a%3Db&empty=`),
			},
			{Type: "said", Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("two\nlines")},
		},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	steps := p.Steps("https://hooks.example.com/webhook/loom")
	if diff := cmp.Diff([]string{"Open the settings: enter https://hooks.example.com/webhook/loom.", "Save."}, steps); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":     {"tittle: Loom\n", `read loom.txt: there is no key "tittle"`},
		"no text":         {"title:\n", `read loom.txt: line "title:" is not KEY: TEXT`},
		"no key":          {"Loom\n", `line "Loom" is not KEY: TEXT`},
		"bare setting":    {"setting: webhook_id\n", `setting "webhook_id" says nothing about itself`},
		"no headers":      {"-- woven --\n{}\n", `read loom.txt: sample "woven": no empty line ends the headers`},
		"bad header":      {"-- woven --\nContent-Type application/json\n\n{}\n", `sample "woven": read headers: `},
		"no content type": {"-- woven --\nX-Loom-Event: woven\n\n{}\n", `sample "woven": read Content-Type: `},
		"bad JSON":        {"-- woven --\nContent-Type: application/json\n\n{\"a\":}\n", `sample "woven": read body: `},
		"bad form": {
			"-- cut --\nContent-Type: application/x-www-form-urlencoded\n\nevent\n",
			`sample "cut": read body: line "event" is not KEY=VALUE`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("loom", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
