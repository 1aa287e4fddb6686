package provider

import (
	"embed"
	"net/http"
	"slices"
	"strings"
)

//go:embed data/*.txt
var data embed.FS

// A Provider is what people need to know to receive from a provider.
type Provider struct {
	Name     string // of its scheme, such as "stripe"
	Title    string // what it calls itself, such as "Stripe"
	Docs     string // the URL of its page about webhooks; may be empty
	Secret   string // what the secret is and where it is found, as the end of a sentence
	Setup    []string
	Settings []Setting
	Events   []Event // samples, the one to show first at the front
}

// A Setting is something that a source of this provider is told besides its
// secret.
type Setting struct {
	Name  string // as the scheme calls it, such as "webhook_id"
	About string // what it is and where it is found
}

// An Event is a sample of what a provider posts, without its signature.
type Event struct {
	Type   string      // as the scheme tells it; where it has no types, what the sample is
	Query  string      // what the provider adds to the URL, encoded; mostly empty
	Header http.Header // what the provider sends besides what signing adds
	Body   []byte      // the bytes as they are sent
}

// Lookup returns the provider whose scheme has that name. As in package
// signature, "-" and "_" are the same. It panics if the provider's file, which is
// part of the binary, is malformed.
func Lookup(name string) (*Provider, bool) {
	for _, name := range []string{name, strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "_", "-")} {
		text, err := data.ReadFile("data/" + name + ".txt")
		if err != nil {
			continue // the only thing that can be wrong with a file of the binary is that it is not there
		}
		p, err := parse(name, text)
		if err != nil {
			panic("provider: " + err.Error())
		}
		return p, true
	}
	return nil, false
}

// Names returns the names of all providers, in alphabetical order.
func Names() []string {
	files, err := data.ReadDir("data")
	if err != nil {
		panic("provider: list the embedded files: " + err.Error())
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file.Name(), ".txt")
	}
	slices.Sort(names)
	return names
}

// Steps returns what to do on the provider's side so that it posts to url.
func (p *Provider) Steps(url string) []string {
	steps := make([]string, len(p.Setup))
	for i, step := range p.Setup {
		steps[i] = strings.ReplaceAll(step, "{url}", url)
	}
	return steps
}

// Event returns the sample of that type, or the first one if typ is empty. It
// belongs to the caller.
func (p *Provider) Event(typ string) (Event, bool) {
	for _, e := range p.Events {
		if typ == "" || e.Type == typ {
			return e.clone(), true
		}
	}
	return Event{}, false
}

func (e Event) clone() Event {
	e.Header, e.Body = e.Header.Clone(), slices.Clone(e.Body)
	return e
}
