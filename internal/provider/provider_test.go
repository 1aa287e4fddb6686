package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// each runs test for every provider.
func each(t *testing.T, test func(t *testing.T, p *provider.Provider)) {
	t.Helper()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ok := provider.Lookup(name)
			if !ok {
				t.Fatal("Names lists a provider that Lookup does not find")
			}
			test(t, p)
		})
	}
}

// schemeOf returns the scheme of p.
func schemeOf(t *testing.T, p *provider.Provider) *signature.Scheme {
	t.Helper()
	scheme, ok := extra.Lookup(p.Name)
	if !ok {
		t.Fatalf("no scheme is called %s: the file is of no use, or has another name", p.Name)
	}
	return scheme
}

// A scheme may do without a file, and its provider then has a general sample and
// no steps. Here they are told.
func TestSchemesWithoutAProvider(t *testing.T) {
	t.Parallel()
	for _, scheme := range extra.Schemes() {
		p, ok := provider.Lookup(scheme.Name())
		if !ok {
			t.Logf("internal/provider/data/%s.txt would say how %[1]s is set up, and have a sample event", scheme.Name())
			continue
		}
		if p.Name != scheme.Name() {
			t.Errorf("the file of %s is called %s.txt, which is not its name", scheme.Name(), p.Name)
		}
	}
}

func TestEveryProviderCanBeSetUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *provider.Provider) {
		if p.Title == "" || p.Secret == "" || len(p.Setup) == 0 {
			t.Error("title, secret and setup are all needed")
		}
		if docs, err := url.Parse(p.Docs); err != nil || p.Docs != "" && docs.Scheme != "https" {
			t.Errorf("docs is %q, which is not an https URL", p.Docs)
		}
		steps := strings.Join(p.Steps("https://hooks.example.com/webhook/x"), "\n")
		if !strings.Contains(steps, "https://hooks.example.com/webhook/x") {
			t.Error("no step says where {url} is to be written")
		}
		const long = 200
		for _, text := range slices.Concat(p.Setup, []string{p.Secret}) {
			if len(text) > long {
				t.Errorf("%d characters are too many to read on a terminal, at most %d: %s", len(text), long, text)
			}
		}
		if strings.HasSuffix(p.Secret, ".") {
			t.Errorf("secret is the end of a sentence, whose full stop others write: %q", p.Secret)
		}
	})
}

// TestSettings compares with what the scheme asks for: a setting that the steps
// do not explain is one that people must guess.
func TestSettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *provider.Provider) {
		var explained, wanted []string
		for _, setting := range p.Settings {
			explained = append(explained, setting.Name)
		}
		scheme := schemeOf(t, p)
		for _, setting := range scheme.Settings() {
			wanted = append(wanted, setting.Name)
			if !setting.Optional && !slices.Contains(explained, setting.Name) {
				t.Errorf("the scheme needs %q: say what it is in a line setting: %[1]s ...", setting.Name)
			}
		}
		for _, name := range explained {
			if !slices.Contains(wanted, name) {
				t.Errorf("the scheme knows no setting %q: %q", name, wanted)
			}
		}
	})
}

func TestEveryProviderHasSamples(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *provider.Provider) {
		if p.Name == "github" {
			return // package sample has real ones
		}
		if len(p.Events) == 0 {
			t.Fatal("there is no sample")
		}
		seen := make(map[string]bool)
		for _, e := range p.Events {
			if e.Type == "" || seen[e.Type] {
				t.Errorf("two samples are called %q", e.Type)
			}
			seen[e.Type] = true
			if len(e.Body) == 0 || e.Header.Get("Content-Type") == "" {
				t.Errorf("sample %s has no body or no Content-Type", e.Type)
			}
			if _, err := url.ParseQuery(e.Query); err != nil {
				t.Errorf("sample %s has a query that is not encoded: %v", e.Type, err)
			}
		}
	})
}

// request is what the provider posts, without its signature.
func request(e provider.Event) *signature.Request {
	to := url.URL{Scheme: "https", Host: "hooks.example.com", Path: "/webhook/x", RawQuery: e.Query}
	return &signature.Request{Method: http.MethodPost, URL: to.String(), Header: e.Header, Body: e.Body}
}

// TestSamplesAreOfTheirType asks the scheme: the gateway routes by what it says.
func TestSamplesAreOfTheirType(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *provider.Provider) {
		scheme := schemeOf(t, p)
		for _, e := range p.Events {
			typ, subtype, _ := scheme.Identify(request(e))
			if typ != "" && e.Type != typ && e.Type != typ+"."+subtype {
				t.Errorf("the sample is called %q, and the scheme takes it for type %q, subtype %q", e.Type, typ, subtype)
			}
		}
	})
}

// TestSamplesCanBeSentAgain renews the id of every sample: a receiver that knows
// it already would take the next for a repetition.
func TestSamplesCanBeSentAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *provider.Provider) {
		scheme := schemeOf(t, p)
		for _, e := range p.Events {
			typ, subtype, id := scheme.Identify(request(e))
			if id == "" {
				continue // signing adds it, or there is none
			}
			const enough = 10
			if n := changing(id); n < enough {
				t.Errorf("sample %s: of the id %q %d characters change, write a longer one, with at least %d",
					e.Type, id, n, enough)
			}
			again := e.Renew(id)
			typ2, subtype2, id2 := scheme.Identify(request(again))
			if id2 == id || id2 == "" || typ2 != typ || subtype2 != subtype {
				t.Errorf("sample %s: renewed to type %q, subtype %q, id %q", e.Type, typ2, subtype2, id2)
			}
			if json.Valid(e.Body) && !json.Valid(again.Body) {
				t.Errorf("sample %s: with the new id %q it is not JSON", e.Type, id2)
			}
		}
	})
}

// changing returns how many characters of an id change when it is renewed. The
// more, the longer it takes until an id comes up again.
func changing(id string) int {
	changed := make(map[int]bool)
	for range 50 {
		fresh := (provider.Event{Body: []byte(id)}).Renew(id).Body
		for i := range fresh {
			if fresh[i] != id[i] {
				changed[i] = true
			}
		}
	}
	return len(changed)
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bitbucket_server", "bitbucket-server"} {
		if p, ok := provider.Lookup(name); !ok || p.Name != "bitbucket_server" || p.Title != "Bitbucket Data Center" {
			t.Errorf("Lookup(%q) = %+v, %v", name, p, ok)
		}
	}
	for _, name := range []string{"", "nobody", "../data/stripe", "stripe.txt", "Stripe"} {
		if p, ok := provider.Lookup(name); ok {
			t.Errorf("Lookup(%q) = %+v, want none", name, p)
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	stripe, _ := provider.Lookup("stripe")
	first, ok := stripe.Event("")
	if !ok || first.Type != "invoice.paid" {
		t.Errorf("the first sample is %q, %v", first.Type, ok)
	}
	if e, ok := stripe.Event("checkout.session.completed"); !ok || !strings.Contains(string(e.Body), `"mode":"payment"`) {
		t.Errorf("the sample asked for is %s, %v", e.Body, ok)
	}
	if _, ok := stripe.Event("invoice.lost"); ok {
		t.Error("there is a sample of a type that nobody wrote one of")
	}

	first.Body[0] = '!'
	first.Header.Set("User-Agent", "other")
	if again, _ := stripe.Event(""); again.Body[0] != '{' || again.Header.Get("User-Agent") == "other" {
		t.Error("what a caller changes in a sample is changed for the next one")
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"evt_1Qk7ZxT9w3B5nV2c":                 `evt_[1-9][A-Z][a-z][0-9][A-Z][a-z][A-Z][0-9][a-z][0-9][A-Z][0-9][a-z][A-Z][0-9][a-z]`,
		"Ev0817629401":                         `Ev0[0-9]{9}`,
		"JKhwmdLCTVMkWG1jWQqxUp":               `[A-Z]{2}[a-z]{4}[A-Z]{5}[a-z][A-Z]{2}[0-9][a-z][A-Z]{2}[a-z]{2}[A-Z][a-z]`,
		"01JNAM4Q7W2X9K5V8C3R6T0YBZ":           `0[0-9][A-HJKMNP-TV-Z]{4}[0-9A-HJKMNP-TV-Z]{20}`,
		"4912661846655238145":                  `[1-9][0-9]{18}`,
		"69a562e2c1b4f7000835d0a9":             `[1-9a-f][0-9a-f]{23}`,
		"mock-4f1b2c9d8e7a":                    `mock-[1-9][0-9a-f]{11}`,
		"4f1b2c9d-8e7a-4035-9c2d-3e4f5a6b7c80": `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
		"4F1B2C9D-8E7A-4035-9C2D-3E4F5A6B7C80": `[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}`,
	} {
		e := provider.Event{
			Query:  "id=" + id,
			Header: http.Header{"X-Id": {"a " + id}},
			Body:   []byte(`{"id":"` + id + `","again":["` + id + `"]}`),
		}
		got := e.Renew(id)
		fresh := strings.TrimPrefix(got.Query, "id=")
		if fresh == id {
			t.Errorf("the id %s stays as it is", id)
		}
		if !regexp.MustCompile("^" + want + "$").MatchString(fresh) {
			t.Errorf("the new id of %s is %s, want %s", id, fresh, want)
		}
		if got.Header.Get("X-Id") != "a "+fresh || string(got.Body) != `{"id":"`+fresh+`","again":["`+fresh+`"]}` {
			t.Errorf("the id %s is not another one everywhere: %+v %s", id, got.Header, got.Body)
		}
		if e.Header.Get("X-Id") != "a "+id || !strings.Contains(string(e.Body), id) {
			t.Errorf("Renew changed what it was called on: %+v %s", e.Header, e.Body)
		}
	}
	if e := (provider.Event{Body: []byte("{}")}).Renew(""); string(e.Body) != "{}" {
		t.Errorf("without an id, the body became %s", e.Body)
	}
}
