package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/signature"
)

func checkConfiguration(_ context.Context, x *examination) []finding {
	path := x.env.File(x.app.config)
	switch {
	case errors.Is(x.configErr, fs.ErrNotExist):
		return []finding{problem("tenterhook init github writes one; --config FILE names another",
			"there is no %s; what follows is about the defaults", path)}
	case x.configErr != nil:
		return []finding{problem("tenterhook check shows each with its place; what follows is about the defaults",
			"%s", firstLine(x.configErr))}
	}
	c := x.config
	findings := []finding{fine("%s: %s, %s, %s", c.Path, count(len(c.Sources), "source", "sources"),
		count(len(c.Destinations), "destination", "destinations"), count(len(c.Routes), "route", "routes"))}
	if len(c.Sources) == 0 {
		findings[0] = warning("define one below sources:", "%s has no source, so that nothing can come in", c.Path)
	}
	for _, w := range x.warnings() {
		findings = append(findings, warning(w.Hint, "%s", w.Error()))
	}
	return findings
}

// warnings are those of the configuration. Read with its secrets, there may be
// more of them; that of the private listener is a check of its own.
func (x *examination) warnings() []config.Problem {
	warnings := x.config.Warnings
	if full, err := x.load(); err == nil {
		warnings = full.Warnings
	}
	return slices.DeleteFunc(slices.Clone(warnings), func(w config.Problem) bool { return w.Path == "admin" })
}

func firstLine(err error) string {
	line, more, _ := strings.Cut(err.Error(), "\n")
	if more != "" {
		line += ", and more"
	}
	return line
}

// checkSecrets finds what only the whole configuration shows: a reference to
// what is not there, or does not have the form of a key.
func checkSecrets(_ context.Context, x *examination) []finding {
	if x.configErr != nil {
		return nil
	}
	_, err := x.load()
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		var findings []finding
		for _, p := range problems {
			findings = append(findings, problem(p.Hint, "%s", p.Error()))
		}
		return findings
	case err != nil:
		return []finding{problem("", "%s", err)}
	}
	refs := 0
	for _, s := range x.config.Sources {
		refs += len(s.SecretRefs) + len(s.SettingRefs)
	}
	for _, d := range x.config.Destinations {
		refs += len(d.SecretRefs)
	}
	if refs == 0 {
		return nil
	}
	return []finding{fine("%s found", count(refs, "reference", "references"))}
}

func checkListeners(_ context.Context, x *examination) []finding {
	var findings []finding
	if !onThisMachine("http://" + x.config.Listen) {
		findings = append(findings, warning(
			"put a proxy with TLS, such as caddy or nginx, before it, and have it listen on 127.0.0.1",
			"the public one, %s, can be reached from other machines, without TLS", x.config.Listen))
	}
	if !onThisMachine("http://" + x.config.Admin) {
		findings = append(findings, warning("admin: 127.0.0.1:8001, or a proxy with TLS before it",
			"the private one, %s, can be reached from other machines, without TLS: its token can be read on the way",
			x.config.Admin))
	}
	if len(findings) == 0 {
		findings = append(findings, fine("%s and %s can be reached from this machine only", x.config.Listen, x.config.Admin))
	}
	return findings
}

// checkBodyLimit compares what sources take with what GitHub sends at most.
func checkBodyLimit(_ context.Context, x *examination) []finding {
	if len(x.config.Sources) == 0 {
		return nil
	}
	least := x.config.Limits.MaxBody
	var findings []finding
	for _, s := range x.config.Sources {
		least = min(least, s.MaxBody)
		if s.Scheme != nil && s.Scheme.Name() == signature.GitHub.Name() && s.MaxBody < config.DefaultMaxBody {
			findings = append(findings, warning("max_body: 25MiB, or leave it out",
				"source %q takes %s, and GitHub sends up to %s: what is larger is answered 413, and lost",
				s.Name, bytesText(s.MaxBody), bytesText(config.DefaultMaxBody)))
		}
	}
	if len(findings) > 0 {
		return findings
	}
	return []finding{fine("bodies to %s; %s of them in memory at a time",
		bytesText(least), bytesText(x.config.Limits.InFlight))}
}
