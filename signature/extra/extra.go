// Package extra has the schemes that need more than the standard library, and
// with them all schemes that there are.
//
//   - EasyPost's keys are text in the Unicode normalization form NFKD.
//   - Moralis signs with Keccak-256, from which SHA-3 was made later.
//
// Everything else is in package signature, which imports nothing.
package extra

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/sha3"
	"golang.org/x/text/unicode/norm"

	"github.com/tenterhook/tenterhook/signature"
)

// Rows returns the providers of this package.
func Rows() []signature.Spec {
	header := func(name, pattern string) []signature.Read { return []signature.Read{{From: name, Pattern: pattern}} }
	return []signature.Spec{
		{
			Name: "easypost", Read: header("x-hmac-signature", "hmac-sha256-hex={sig}"), Type: "json:description", ID: "json:id",
			DeriveKey: func(secret string) ([]byte, error) { return norm.NFKD.Bytes([]byte(secret)), nil },
		},
		{
			Name: "moralis", Read: header("x-signature", "0x{sig}"), MAC: "hash-sha256 hex", Sign: "{body}{secret}",
			Hash: sha3.NewLegacyKeccak256,
		},
	}
}

// table is every scheme, in the order of their names.
var table = sync.OnceValue(func() []*signature.Scheme {
	all := signature.Schemes()
	for _, row := range Rows() {
		s, err := signature.New(row)
		if err != nil {
			panic(err) // the tests compile them all
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *signature.Scheme) int { return strings.Compare(a.Name(), b.Name()) })
	return all
})

// Schemes returns every scheme of this package and of package signature, in the
// order of their names.
func Schemes() []*signature.Scheme { return slices.Clone(table()) }

// Lookup returns the scheme of that name, as [signature.Lookup] does.
func Lookup(name string) (*signature.Scheme, bool) {
	if s, ok := signature.Lookup(name); ok {
		return s, true
	}
	for _, s := range table() {
		if s.Name() == name {
			return s, true
		}
	}
	return nil, false
}
