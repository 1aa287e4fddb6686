package tenterhook_test

import (
	"go/ast"
	"slices"
	"testing"
)

// waysOut are the files that may make connections or HTTP clients of their own,
// with the reason. All others go through internal/egress, whose guard judges
// addresses.
func waysOut() map[string]string {
	return map[string]string{
		"internal/egress/egress.go":     "the one way out",
		"internal/egress/proxy.go":      "the one way out",
		"internal/egress/upload.go":     "the one way out",
		"internal/destination/auth.go":  "a client whose transport is the one way out",
		"internal/api/client.go":        "talks to the operator's own server",
		"internal/cli/doctor_server.go": "talks to the operator's own server",
		"internal/bench/load.go":        "talks to what it started",
		"internal/bench/trial.go":       "talks to what it started",
		"internal/crash/harness.go":     "talks to what it started",
		"sender_attempt.go":             "the library has a guard of its own, for it imports the standard library only",
		"receiver_handshake.go":         "the library's default, at hosts that the scheme checked; ReceiverOptions.Confirm replaces it",
	}
}

// A request that leaves by another way than internal/egress is one that the
// address guard does not see. And nothing can switch verification of TLS off.
func TestNoOtherWayOut(t *testing.T) {
	t.Parallel()
	doors := map[string][]string{
		"net/http": {
			"DefaultClient", "DefaultTransport", "Get", "Post", "PostForm", "Head", "Transport", "ProxyFromEnvironment",
		},
		"net":        {"Dial", "DialTimeout", "DialTCP", "DialIP", "DialUDP", "DialUnix", "Dialer"},
		"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	}
	used := make(map[string]bool)
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "InsecureSkipVerify" {
					t.Errorf("%s: certificates are always verified", s.at(n))
				}
			case *ast.CompositeLit:
				if isDoor(s, n.Type, map[string][]string{"net/http": {"Client"}}) {
					used[s.path] = true
					refuseDoor(t, s, n)
				}
			case *ast.SelectorExpr:
				if isDoor(s, n, doors) {
					used[s.path] = true
					refuseDoor(t, s, n)
				}
			}
			return true
		})
	}
	for file := range waysOut() {
		if !used[file] {
			t.Errorf("%s makes no connections any more: remove it from waysOut", file)
		}
	}
}

// isDoor reports whether n is one of the names of a package.
func isDoor(s source, n ast.Node, doors map[string][]string) bool {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	if !ok {
		return false
	}
	for pkg, names := range doors {
		if name, imported := s.importName(pkg); imported && of.Name == name && slices.Contains(names, selector.Sel.Name) {
			return true
		}
	}
	return false
}

func refuseDoor(t *testing.T, s source, n ast.Node) {
	t.Helper()
	if waysOut()[s.path] == "" {
		t.Errorf("%s: this makes connections that the address guard does not see; use internal/egress, "+
			"or give the reason in waysOut (guard_test.go)", s.at(n))
	}
}
