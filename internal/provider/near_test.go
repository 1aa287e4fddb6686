package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/provider"
)

// TestNear is about slips that people make; they are not to read 220 names.
func TestNear(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"stirpe": "stripe", "Stripe": "stripe", "twillio": "twilio", "hubspot": "hubspot_v1", "git-hub": "github",
		"standardwebhook": "standard-webhooks", "sendgrd": "sendgrid", "gitlb": "gitlab",
	} {
		near := provider.Near(text, provider.Names())
		if len(near) == 0 || near[0] != want || len(near) > 5 {
			t.Errorf("%q may be meant for %q, want %q first", text, near, want)
		}
	}
	for _, text := range []string{"", "zzz", "an entirely other word", strings.Repeat("x", 300)} {
		if near := provider.Near(text, provider.Names()); len(near) > 0 {
			t.Errorf("%q is near to %q", text, near)
		}
	}
	if near := provider.Near("hubspot", provider.Names()); !slices.Contains(near, "hubspot_v3") {
		t.Errorf("hubspot may be %q, and version 3 is not among them", near)
	}
}
