package tenterhook_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// The list of providers in the documentation is what the program knows of them.
func TestProvidersPage(t *testing.T) {
	t.Parallel()
	const path = "docs/providers.md"
	want := providersPage()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if document(t, path) != want {
		t.Errorf("%s is not what the program knows: go test . -run TestProvidersPage -update", path)
	}
}

func providersPage() string {
	var page strings.Builder
	fmt.Fprintf(&page, `# Providers

%d providers are known by name: as `+"`provider: NAME`"+` of a source, for `+"`tenterhook trigger`, `init` and `verify`"+`, and in Go with
`+"`signature.Lookup`"+`. Every other that signs can be described: [signatures.md](signatures.md).

- **window**: how far the time of a request may be from now. Without one, a request that somebody saw can be sent again, and is
  recognized by its delivery id only.
- **body**: "no" means that the signature does not cover the body. Fetch from the provider what matters.
- **besides**: *URL*: the URL is signed, so that a gateway behind a proxy needs `+"`public_url`"+`. *fetched*: the provider's public key
  is fetched, and no secret is needed. Words in code are `+"`settings`"+` that a source needs.

| provider | | algorithm | window | body | besides |
|---|---|---|---|---|---|
`, len(extra.Schemes()))
	for _, s := range extra.Schemes() {
		title, window, body := "", "", "yes"
		if p, ok := provider.Lookup(s.Name()); ok {
			title = p.Title
			if p.Docs != "" {
				title = "[" + title + "](" + p.Docs + ")"
			}
		}
		if s.Tolerance() > 0 {
			window = shortDuration(s.Tolerance())
		}
		if !s.BodyBound() {
			body = "no"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s | %s |\n", s.Name(), title, s.Algorithm(), window, body, besides(s))
	}
	return page.String()
}

func besides(s *signature.Scheme) string {
	var notes []string
	if s.SignsURL() {
		notes = append(notes, "URL")
	}
	if s.Keyless() && s.Public() {
		notes = append(notes, "fetched")
	}
	for _, setting := range s.Settings() {
		if !setting.Optional {
			notes = append(notes, "`"+setting.Name+"`")
		}
	}
	return strings.Join(notes, ", ")
}

// shortDuration writes 5m0s as 5m.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if strings.HasSuffix(text, "m"+zero) || strings.HasSuffix(text, "h"+zero) {
			text = strings.TrimSuffix(text, zero)
		}
	}
	return text
}
