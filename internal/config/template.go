package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

//go:embed tenterhook.yaml.tmpl
var templateText string

// TemplateProviders lists the providers that [Template] accepts.
func TemplateProviders() []string {
	return slices.DeleteFunc(providers(), func(name string) bool { return name == providerNone })
}

// Template returns a first configuration file for a provider, with comments. It
// names two environment variables, see [TemplateVariables], and loads once they
// are set.
func Template(provider string) ([]byte, error) {
	if !slices.Contains(TemplateProviders(), provider) {
		return nil, fmt.Errorf("there is no provider %q; %s", clip(provider),
			didYouMean(provider, TemplateProviders(), "there are %s"))
	}
	t, err := template.New("tenterhook.yaml").Parse(templateText)
	if err != nil {
		return nil, fmt.Errorf("parse the template: %w", err)
	}
	source, secret, _ := templateNames(provider)
	var file bytes.Buffer
	err = t.Execute(&file, struct{ Provider, Source, Secret string }{provider, source, secret})
	if err != nil {
		return nil, fmt.Errorf("write the template: %w", err)
	}
	return file.Bytes(), nil
}

// TemplateVariables returns the environment variables that the file of
// [Template] refers to: the provider's secret, which the provider knows as well,
// and one that signs what goes to the destination, in the form of Standard
// Webhooks.
func TemplateVariables(provider string) (source, destination string) {
	_, source, destination = templateNames(provider)
	return source, destination
}

func templateNames(provider string) (source, secret, destination string) {
	source = strings.ReplaceAll(provider, "_", "-")
	if provider == providerHMAC || provider == "standard-webhooks" {
		source = "incoming" // the provider is a way to sign, not someone
	}
	return source, variable(source, "_WEBHOOK_SECRET"), "APP_SECRET"
}
