package mismatch

import (
	"encoding/base64"
	"encoding/hex"
	"iter"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// A repair is what may be wrong with how a secret is written.
type repair struct {
	with, do string
	of       func(secret string) (string, bool)
}

const (
	copyIt  = "Set the secret again, exactly as the provider shows it."
	asBytes = "The scheme takes the secret as text. Write what the provider shows, not what it decodes to."
)

// repairs lists them, the most frequent first. None of their texts holds
// anything of the secret.
func repairs() []repair {
	always := func(change func(string) string) func(string) (string, bool) {
		return func(secret string) (string, bool) { return change(secret), true }
	}
	return []repair{
		{"without the white space around the secret", copyIt, always(strings.TrimSpace)},
		{"without the quotes around the secret", copyIt, unquote},
		{
			"with a newline at the end of the secret",
			"The sender's secret ends in a newline: set it there again, with printf '%s' instead of echo.",
			always(func(secret string) string { return secret + "\n" }),
		},
		{"with CRLF at the end of the secret", copyIt, always(func(secret string) string { return secret + "\r\n" })},
		{"without the prefix of the secret", copyIt, withoutPrefix},
		{"without the variable's name before the secret", copyIt, withoutName},
		{"with the prefix whsec_ before the secret", copyIt, always(func(secret string) string { return "whsec_" + secret })},
		{
			"with the secret's text itself as the key, not decoded",
			"The sender uses the text of the secret as it is. Where the scheme decodes it, write whsec_ and the base64 of that text.",
			always(func(secret string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(secret)) }),
		},
		{
			"with the secret decoded from base64",
			"The sender decodes the secret before it signs: this is another scheme, or another setting at the provider.", decodedBase64,
		},
		{
			"with the secret decoded from hex",
			"The sender decodes the secret before it signs: this is another scheme, or another setting at the provider.",
			func(secret string) (string, bool) {
				key, err := hex.DecodeString(secret)
				return string(key), err == nil
			},
		},
		{"with the secret in base64", asBytes, always(func(secret string) string {
			return base64.StdEncoding.EncodeToString([]byte(secret))
		})},
		{"with the secret in hex", asBytes, always(func(secret string) string { return hex.EncodeToString([]byte(secret)) })},
		{"with the = that base64 ends in after the secret", copyIt, always(padded)},
		{
			"with line ends for the \\n in the key", "Write the key with its line ends, or in one line as the provider shows it.",
			always(func(secret string) string { return strings.ReplaceAll(secret, `\n`, "\n") }),
		},
		{
			"with the secret's percent escapes decoded", copyIt,
			func(secret string) (string, bool) { plain, err := url.PathUnescape(secret); return plain, err == nil },
		},
		{"without the byte order mark before the secret", copyIt, always(func(secret string) string {
			return strings.TrimPrefix(secret, "\ufeff")
		})},
		{"with the secret in small letters", copyIt, always(strings.ToLower)},
		{"with the secret in capitals", copyIt, always(strings.ToUpper)},
	}
}

func unquote(secret string) (string, bool) {
	if plain, err := strconv.Unquote(secret); err == nil {
		return plain, true
	}
	plain := strings.Trim(secret, "'\"`\u201c\u201d\u2018\u2019")
	return plain, plain != secret
}

func withoutPrefix(secret string) (string, bool) {
	for _, prefix := range []string{
		"whsec_", "sha256=", "sha1=", "sha512=", "v1,", "v1=", "Bearer ", "base64:", "hex:", "0x", "whpk_", "secret:", "secret=",
	} {
		if plain, ok := strings.CutPrefix(secret, prefix); ok {
			return plain, true
		}
	}
	return "", false
}

var variableName = regexp.MustCompile(`^(?:export )?[A-Za-z_][A-Za-z0-9_]* *[=:] *`)

func withoutName(secret string) (string, bool) {
	plain := variableName.ReplaceAllString(secret, "")
	return plain, plain != secret
}

func decodedBase64(secret string) (string, bool) {
	bare := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(secret), "=")
	key, err := base64.RawStdEncoding.DecodeString(bare)
	return string(key), err == nil
}

func padded(secret string) string {
	const group = 4
	bare := strings.TrimRight(secret, "=")
	return bare + strings.Repeat("=", (group-len(bare)%group)%group)
}

// secretChanges are the secrets with one or two things about them repaired.
func secretChanges(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, secret := range c.Secrets {
			seen := map[string]bool{secret: true}
			for first := range repaired(secret, seen) {
				if !yield(first.change()) {
					return
				}
			}
			seen = map[string]bool{secret: true}
			for first := range repaired(secret, seen) {
				for second := range repaired(first.secret, seen) {
					second.with, second.do = first.with+", and "+second.with, first.both(second)
					if !yield(second.change()) {
						return
					}
				}
			}
		}
	}
}

// A repairedSecret is a secret after a repair.
type repairedSecret struct{ secret, with, do string }

func (r repairedSecret) change() change {
	return change{with: r.with, do: r.do, secrets: []string{r.secret}}
}

// both says what to do about two repairs.
func (r repairedSecret) both(other repairedSecret) string {
	if r.do == other.do {
		return r.do
	}
	return r.do + " " + other.do
}

// repaired are what the repairs make of a secret that has not been seen.
func repaired(secret string, seen map[string]bool) iter.Seq[repairedSecret] {
	return func(yield func(repairedSecret) bool) {
		for _, r := range repairs() {
			plain, ok := r.of(secret)
			if !ok || seen[plain] || strings.TrimSpace(plain) == "" {
				continue
			}
			seen[plain] = true
			if !yield(repairedSecret{plain, r.with, r.do}) {
				return
			}
		}
	}
}

// otherSources are the secrets of other receivers.
func otherSources(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, other := range c.Others {
			if len(other.Secrets) == 0 {
				continue
			}
			do := "Send it to that source's address, or set this source's secret: two webhooks were mixed up."
			if !yield(change{with: "with the secret of the source " + strconv.Quote(other.Name), do: do, secrets: other.Secrets}) {
				return
			}
			if other.Scheme != nil && other.Scheme != c.Scheme && !yield(change{
				with: "as the source " + strconv.Quote(other.Name) + " verifies, with its secret", do: do,
				scheme: other.Scheme, secrets: other.Secrets,
			}) {
				return
			}
		}
	}
}
