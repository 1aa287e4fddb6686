package config

import (
	"fmt"
	"slices"

	"github.com/tenterhook/tenterhook/signature"
)

// settings returns what the file sets for a source's scheme, and which of the
// values are secret.
func (b *builder) settings(
	source *Source, raw named[rawSource], base *signature.Scheme,
) (set map[string]string, secrets []string, ok bool) {
	before := len(b.problems)
	known := base.Settings()
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.Name
	}
	set = make(map[string]string)
	for _, given := range raw.v.settings.v {
		i := slices.Index(names, given.name)
		if i < 0 {
			b.unknownSetting(source, given, names)
			continue
		}
		value, found := b.setting(source, known[i], given)
		if found {
			set[given.name] = value
		}
		if known[i].Secret {
			secrets = append(secrets, value)
		}
	}
	if raw.v.settings.at != nil && !raw.v.settings.ok {
		return nil, nil, false // reported
	}
	for _, s := range known {
		if _, there := set[s.Name]; !there && !s.Optional && len(b.problems) == before {
			at := raw.v.provider.at
			if raw.v.settings.at != nil {
				at = raw.v.settings.at
			}
			b.reject(at, fmt.Sprintf("%s needs the setting %s: %s", source.Provider, s.Name, s.About),
				settingsHint(s.Name, s.Secret))
		}
	}
	return set, secrets, len(b.problems) == before
}

// setting returns the value of one setting. One that is secret is a reference.
func (b *builder) setting(source *Source, s signature.Setting, given rawSetting) (string, bool) {
	switch {
	case !given.ref.IsZero():
		if given.ref.Insecure() && s.Secret {
			b.warnInsecure(given.at)
		}
		source.SettingRefs = append(source.SettingRefs, given.ref)
		return b.resolve(given.at, given.ref)
	case s.Secret:
		b.reject(given.at, fmt.Sprintf("the setting %q is secret, and it is in this file", s.Name), settingsHint(s.Name, true))
		return "", false
	case given.value == "":
		b.reject(given.at, fmt.Sprintf("the setting %q is empty", s.Name), settingsHint(s.Name, false))
		return "", false
	}
	return given.value, true
}

func (b *builder) unknownSetting(source *Source, given rawSetting, names []string) {
	hint := didYouMean(given.name, names, "the settings are %s")
	if hint == "" {
		hint = "remove it"
	}
	b.reject(given.key, fmt.Sprintf("%s has no setting %q", source.Provider, clip(given.name)), hint)
}
