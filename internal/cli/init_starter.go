package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
)

const (
	providerHMAC = "hmac"       // the scheme is described in the file
	appVariable  = "APP_SECRET" // what deliveries are signed with
)

// A starter is what is special about a provider in the file to begin with.
type starter struct {
	provider, title string
	source          string      // the source's name
	secret          *initSecret // nil if there is none to set
	about           string      // what the secret is
	settings        []initSetting
	remarks         []string // comments about the source
	extra           string   // lines of the source
	types           string   // of the route
	when            string   // of the route, with its comment
	steps           []string // what to do at the provider
	docs            string
	trigger         string // a command line that tries it
}

// initSecret is where a source's secret is, and what makes one, if that is ours
// to do.
type initSecret struct{ ref, make string }

// initSetting is one of a scheme's settings.
type initSetting struct {
	name, variable, about string
	optional              bool
}

const (
	makesHex   = "openssl rand -hex 32"
	makesWhsec = "echo whsec_$(openssl rand -base64 32)"
)

// findStarter returns what is special about the provider of that name.
func findStarter(name string) (starter, error) {
	if name == providerHMAC {
		return starter{
			provider: name, source: "app", types: `["*"]`, secret: &initSecret{"env:APP_WEBHOOK_SECRET", makesHex},
			extra: "    header: X-Signature               # where the signature is\n" +
				"    algorithm: sha256                 # sha1, sha256 or sha512\n" +
				"    encoding: hex                     # hex, base64 or base64url\n",
			steps: []string{"have the sender post to http://HOST:8000/webhook/app with the same secret"},
		}, nil
	}
	scheme, err := lookupScheme(name)
	if err != nil {
		return starter{}, withHint(err, reportOf(err).Hint+"; for one that is not listed, begin with --provider hmac")
	}
	switch scheme.Name() {
	case signature.GitHub.Name():
		return starter{
			provider: scheme.Name(), source: "github", types: "[push]",
			secret: &initSecret{"env:GITHUB_WEBHOOK_SECRET", makesHex},
			when:   `    when: .ref == "refs/heads/main"      # jq over the payload; leave out to take all` + "\n",
			steps: []string{"in the repository's Settings, Webhooks: payload URL http://HOST:8000/webhook/github, content type\n" +
				"application/json, and the same secret"},
			trigger: "tenterhook trigger github push --source github --set ref=refs/heads/main",
		}, nil
	case signature.StandardWebhooks.Name():
		return starter{
			provider: scheme.Name(), source: "app", types: `["*"]`, secret: &initSecret{"env:APP_WEBHOOK_SECRET", makesWhsec},
			steps:   []string{"have the sender post to http://HOST:8000/webhook/app with the same secret"},
			trigger: "tenterhook trigger standard-webhooks --source app",
		}, nil
	}
	return newStarter(scheme), nil
}

// newStarter makes a starter from what is known of a scheme and its provider.
func newStarter(scheme *signature.Scheme) starter {
	name := scheme.Name()
	s := starter{provider: name, title: name, source: name, types: `["*"]`}
	variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	p, ok := provider.Lookup(name)
	if ok {
		s.title, s.docs, s.about = p.Title, p.Docs, p.Secret
		for _, step := range p.Steps("https://HOST/webhook/" + s.source) {
			s.steps = append(s.steps, folded(step, lineWidth))
		}
	}
	switch {
	case scheme.SendsSecret():
		s.secret = &initSecret{ref: "file:" + name + ".secret"}
	case scheme.Keyless():
	case scheme.Public():
		s.secret = &initSecret{ref: "env:" + variable + "_PUBLIC_KEY"}
	default:
		s.secret = &initSecret{ref: "env:" + variable + "_WEBHOOK_SECRET"}
	}
	for _, setting := range scheme.Settings() {
		made := initSetting{
			name: setting.Name, variable: variable + "_" + strings.ToUpper(setting.Name), about: setting.About, optional: setting.Optional,
		}
		if i := slices.IndexFunc(settingsOf(p), func(known provider.Setting) bool { return known.Name == setting.Name }); i >= 0 {
			made.about = p.Settings[i].About
		}
		s.settings = append(s.settings, made)
	}
	s.remarks = remarks(scheme, s.title)
	if !scheme.Public() && !scheme.SendsSecret() {
		s.trigger = "tenterhook trigger " + name + " --source " + s.source
	}
	return s
}

func settingsOf(p *provider.Provider) []provider.Setting {
	if p == nil {
		return nil
	}
	return p.Settings
}

// remarks are what to know of a source of the scheme.
func remarks(scheme *signature.Scheme, title string) []string {
	var all []string
	if scheme.HasHandshake() {
		all = append(all, "Before it sends events, "+brief(title)+" asks whether somebody is there. "+
			"The gateway answers: have it run by then.")
	}
	if !scheme.BodyBound() {
		all = append(all, "The body is not signed, or not all of it: whoever saw one request can send another body with it. "+
			"Fetch from the provider what matters.")
	}
	return all
}

// brief is a title without what it has in parentheses.
func brief(title string) string {
	name, _, _ := strings.Cut(title, " (")
	return name
}

// keys are the lines of the source below its provider.
func (s starter) keys() string {
	var b strings.Builder
	b.WriteString(s.extra)
	comment := func(indent, format string, args ...any) {
		for line := range strings.SplitSeq(folded(fmt.Sprintf(format, args...), lineWidth-len(indent)), "\n") {
			b.WriteString(indent + "# " + line + "\n")
		}
	}
	const indent = "    "
	if s.about != "" {
		comment(indent, "The secret: %s.", s.about)
	}
	if s.secret != nil {
		b.WriteString(indent + "secret: " + s.secret.ref + "\n")
	}
	if len(s.settings) > 0 {
		lead := indent
		if !slices.ContainsFunc(s.settings, func(o initSetting) bool { return !o.optional }) {
			lead += "# "
		}
		b.WriteString(lead + "settings:\n")
	}
	for _, setting := range s.settings {
		comment(indent+"  ", "%s", setting.about)
		line := setting.name + ": env:" + setting.variable + "\n"
		if setting.optional {
			b.WriteString(indent + "# " + "  " + line)
			continue
		}
		b.WriteString(indent + "  " + line)
	}
	if s.signsURL() {
		comment(indent, "%s signs the URL that it posts to. If the gateway is behind a proxy, write here what is entered there:",
			brief(s.title))
		b.WriteString(indent + "# public_url: https://hooks.example.com\n")
	}
	for _, remark := range s.remarks {
		comment(indent, "%s", remark)
	}
	return b.String()
}

func (s starter) signsURL() bool {
	scheme, err := lookupScheme(s.provider)
	return err == nil && scheme.SignsURL()
}

// variables are those of the environment that the file refers to, apart from the
// destination's.
func (s starter) variables() []string {
	var all []string
	if s.secret != nil {
		if name, ok := strings.CutPrefix(s.secret.ref, "env:"); ok {
			all = append(all, name)
		}
	}
	for _, setting := range s.settings {
		if !setting.optional {
			all = append(all, setting.variable)
		}
	}
	return all
}

// exports is how the variables are set.
func (s starter) exports() string {
	var lines []string
	for _, name := range s.variables() {
		value := "..."
		if s.secret != nil && s.secret.make != "" {
			value = "$(" + s.secret.make + ")"
		}
		line := "export " + name + "=\"" + value + "\""
		if about := s.aboutVariable(name); about != "" {
			line += "   # " + about
		}
		lines = append(lines, line)
	}
	return strings.Join(append(lines, "export "+appVariable+"=\"$("+makesWhsec+")\""), "\n")
}

// aboutVariable is what belongs in a variable, if it has to be found somewhere.
func (s starter) aboutVariable(name string) string {
	for _, setting := range s.settings {
		if setting.variable == name {
			return setting.about
		}
	}
	return s.about
}

// lineWidth is how long the lines are that init writes.
const lineWidth = 110

// folded breaks a text into lines of at most that many characters, if its words
// allow.
func folded(s string, width int) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(s) {
		switch n := len([]rune(word)); {
		case length == 0:
			length = n
		case length+1+n > width:
			b.WriteByte('\n')
			length = n
		default:
			b.WriteByte(' ')
			length += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}
