package tenterhook_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// maxChain is the most packages of ours that may stand in one chain of imports.
// A change far down reaches everything above it; a short chain keeps that small.
const maxChain = 8

// importTable says, for each package, which packages of ours it may import. It
// is the architecture: imports run one way, and packages that do the work do not
// know one another. Tests may import what they need.
//
// A new package needs a row here, with as few entries as it can do with. A new
// entry in a row needs a reason: most often what is missing is an interface at
// the consumer.
func importTable() map[string][]string {
	return map[string][]string{
		// The library: what other programs import.
		".":         {"signature", "internal/outbound"},
		"signature": {},
		"hooktest":  {"signature"},
		// The schemes that need more than the standard library, and with them all.
		"signature/extra": {"signature"},

		// Parts that know nothing of ours.
		"internal/secret":   {},
		"internal/filter":   {},
		"internal/egress":   {},
		"internal/outbound": {}, // the rules of what leaves, for the library and the gateway
		"internal/keyfetch": {},
		"internal/provider": {},
		"internal/schema":   {},

		// Requests that were kept, and why one does not verify.
		"internal/capture":  {"signature"},
		"internal/mismatch": {"signature", "signature/extra"},

		// The work. Siblings do not know one another.
		"internal/route":       {".", "internal/filter"},
		"internal/store":       {"."},
		"internal/deliver":     {"."},
		"internal/destination": {".", "signature", "internal/secret", "internal/filter", "internal/egress", "internal/outbound"},
		"internal/github":      {"internal/outbound"},
		"internal/ingest":      {".", "signature", "internal/route"},

		// What holds the parts together.
		"internal/config": {
			".", "signature", "internal/secret", "internal/filter", "internal/route", "internal/destination",
			"internal/egress", // whose rules it reads
			"internal/schema", "signature/extra",
		},
		"internal/api":    {".", "internal/route", "internal/store"},
		"internal/sample": {"signature", "internal/provider"},
		"internal/server": {
			".", "signature", "internal/secret", "internal/filter", "internal/egress", "internal/route", "internal/store",
			"internal/deliver", "internal/destination", "internal/ingest", "internal/config", "internal/api",
			"internal/keyfetch",
		},
		"internal/bench": {".", "signature", "internal/config", "internal/server", "internal/store"},

		// What people run.
		"internal/cli": {
			".", "signature", "internal/route", "internal/config", "internal/api", "internal/sample",
			"internal/server", "internal/bench", "internal/capture", "internal/mismatch",
			"internal/secret", "internal/egress", // trigger sends without a server: its secret, its way out
			"signature/extra", "internal/provider", "hooktest", // and what it sends, or spoils
			"internal/outbound", "internal/github", // send and dispatch
		},
		"cmd/tenterhook": {"internal/cli"},

		// Tools of the repository.
		"internal/crash":           {},                      // kills the binary from the outside
		"internal/store/storetest": {".", "internal/store"}, // what every database must do
		"scripts/fetch-samples":    {"scripts/npm"},
		"scripts/reduce-schemas":   {"internal/sample", "scripts/npm"},
		"scripts/npm":              {}, // measures what they say to the description
	}
}

// standardLibraryOnly are the packages that other programs import: they bring
// nothing along.
func standardLibraryOnly() []string { return []string{".", "signature", "hooktest"} }

// belowThem are the packages of ours that they import besides one another, which
// are bound by the same rule.
func belowThem() []string { return []string{"internal/outbound"} }

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	table := importTable()
	seen := make(map[string]bool)
	for _, s := range sources(t) {
		pkg := s.pkg()
		allowed, known := table[pkg]
		if !known && !seen[pkg] {
			t.Errorf("package %s is not in the import table: give it a row in importTable (deps_test.go) "+
				"with the packages of ours that it may import", pkg)
		}
		seen[pkg] = true
		if !known || s.isTest() {
			continue
		}
		for _, imported := range s.imports(t) {
			ours, isOurs := trimModule(imported)
			switch {
			case isOurs && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s, which the import table does not allow. Package %s may import: %s. "+
					"Most often an interface in %[3]s, which its caller fills, does instead; "+
					"if the architecture is what changes, change importTable (deps_test.go) and docs/design.md",
					s.path, ours, pkg, orNone(allowed))
			case !isOurs && isThirdParty(imported) && slices.Contains(slices.Concat(standardLibraryOnly(), belowThem()), pkg):
				t.Errorf("%s imports %s: package %s is for other programs to import, or below one that is, and uses the standard library only",
					s.path, imported, pkg)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(table)) {
		if !seen[pkg] {
			t.Errorf("the import table has a row for %s, where there is no package: remove it", pkg)
		}
	}
}

func TestImportChainsAreShort(t *testing.T) {
	t.Parallel()
	imports := make(map[string][]string)
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, imported := range s.imports(t) {
			if ours, ok := trimModule(imported); ok && !slices.Contains(imports[s.pkg()], ours) {
				imports[s.pkg()] = append(imports[s.pkg()], ours)
			}
		}
	}
	var longest []string
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		if chain := longestChain(pkg, imports); len(chain) > len(longest) {
			longest = chain
		}
	}
	t.Logf("longest chain, %d of %d: %s", len(longest), maxChain, strings.Join(longest, " -> "))
	if len(longest) > maxChain {
		t.Errorf("a chain of imports has %d packages, at most %d may be: %s",
			len(longest), maxChain, strings.Join(longest, " -> "))
	}
}

// longestChain returns the longest chain of imports from pkg, which the compiler
// guarantees to end.
func longestChain(pkg string, imports map[string][]string) []string {
	var longest []string
	for _, next := range imports[pkg] {
		if chain := longestChain(next, imports); len(chain) > len(longest) {
			longest = chain
		}
	}
	return append([]string{pkg}, longest...)
}

// trimModule turns an import path into a directory from the root; false if the
// package is not ours.
func trimModule(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// isThirdParty reports whether the package is not of the standard library, whose
// import paths have no dot in their first element.
func isThirdParty(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return strings.Contains(first, ".")
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "nothing of ours"
	}
	return strings.Join(names, ", ")
}
