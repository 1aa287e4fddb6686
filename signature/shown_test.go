package signature_test

import (
	"testing"

	"github.com/tenterhook/tenterhook/signature"
)

func TestTokenHeader(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"gitlab": "X-Gitlab-Token", "telegram": "X-Telegram-Bot-Api-Secret-Token", "okta": "Authorization",
		"microsoft_graph": "", "azure_eventgrid": "", "github": "", "stripe": "",
	} {
		scheme, ok := signature.Lookup(name)
		if !ok {
			t.Fatalf("there is no scheme %s", name)
		}
		if got := scheme.TokenHeader(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := (*signature.Scheme)(nil).TokenHeader(); got != "" {
		t.Errorf("no scheme: %q", got)
	}
}

func TestSendsSecret(t *testing.T) {
	t.Parallel()
	for _, scheme := range signature.Schemes() {
		want := scheme.Name() == "asana" || scheme.Name() == "notion"
		if got := scheme.SendsSecret(); got != want {
			t.Errorf("%s: %v", scheme.Name(), got)
		}
	}
}
