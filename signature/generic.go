package signature

import "fmt"

// HMACOptions describe a provider that signs the body, and only the body, with
// an HMAC in one header.
type HMACOptions struct {
	Header    string    // where the signature is, such as "X-Signature"; needed
	Algorithm Algorithm // the default is [SHA256]
	Encoding  Encoding  // the default is [Hex]
	Prefix    string    // what comes before the signature in the header, such as "sha256="

	TypeHeader string // where the event's type is; empty if nowhere
	IDHeader   string // where the provider's id of the delivery is; empty if nowhere
}

// HMAC returns the scheme that opts describe. Its name is "hmac". The error says
// which option is wrong.
func HMAC(opts HMACOptions) (*Scheme, error) {
	if opts.Algorithm == "" {
		opts.Algorithm = SHA256
	}
	if opts.Encoding == "" {
		opts.Encoding = Hex
	}
	if _, err := newHMAC(opts.Algorithm, opts.Encoding); err != nil {
		return nil, fmt.Errorf("hmac scheme: %w", err)
	}
	if !opts.Encoding.valid() {
		return nil, fmt.Errorf("hmac scheme: encoding %q is none of hex, base64, base64url", clip(string(opts.Encoding)))
	}
	if len(opts.Prefix) > 64 || !printable(opts.Prefix) {
		return nil, fmt.Errorf("hmac scheme: prefix %q is not at most 64 printable ASCII characters", clip(opts.Prefix))
	}
	spec := Spec{Name: "hmac", MAC: "hmac-" + string(opts.Algorithm) + " " + string(opts.Encoding)}
	for _, option := range [...]struct {
		name, header string
		needed       bool
		set          func(from string)
	}{
		{"header", opts.Header, true, func(from string) { spec.Read = header(from, escape(opts.Prefix)+"{sig}") }},
		{"type header", opts.TypeHeader, false, func(from string) { spec.Type = "header:" + from }},
		{"id header", opts.IDHeader, false, func(from string) { spec.ID = "header:" + from }},
	} {
		switch {
		case option.header == "" && !option.needed:
		case !validHeaderName(option.header):
			return nil, fmt.Errorf("hmac scheme: %s %q does not name a header", option.name, clip(option.header))
		default:
			option.set(option.header)
		}
	}
	return New(spec)
}
