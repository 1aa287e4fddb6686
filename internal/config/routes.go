package config

import (
	"fmt"
	"slices"

	"github.com/tenterhook/tenterhook/internal/route"
)

func (b *builder) routes(f rawFile) {
	sources, destinations := definedNames(f.sources.v), definedNames(f.destinations.v)
	var fromUsed, toUsed []string
	seen := make(map[string]*node)
	for i, g := range f.routes.v {
		if !g.ok {
			continue
		}
		r := route.Route{
			Name: b.routeName(i, g, seen), Types: words(g.v.types), When: g.v.when.v, Transform: g.v.transform.v,
			From: b.known(g.v.from, "source", sources), To: b.known(g.v.to, "destination", destinations),
		}
		if g.v.from.at == nil {
			r.From = slices.Clone(sources)
			if len(sources) == 0 && f.sources.at == nil {
				b.reject(g.at, fmt.Sprintf("the route %q is from all sources, but there is none", r.Name),
					"define one below sources:")
			}
		}
		if g.v.to.at == nil {
			b.reject(g.at, fmt.Sprintf("the route %q goes nowhere", r.Name), "write to: and the name of a destination")
		}
		b.config.Routes = append(b.config.Routes, r)
		fromUsed, toUsed = append(fromUsed, r.From...), append(toUsed, r.To...)
	}
	unused(b, f.sources.v, fromUsed, "no route is from the source %q: its events are kept, and go nowhere")
	unused(b, f.destinations.v, toUsed, "no route goes to the destination %q")
	if len(b.problems) > 0 {
		return
	}
	if _, err := route.New(b.config.Routes); err != nil { // whatever else the package that routes knows
		b.reject(f.routes.at, err.Error(), "correct it")
	}
}

// routeName returns the name of the i-th route, which no other has.
func (b *builder) routeName(i int, g given[rawRoute], seen map[string]*node) string {
	name, at := fmt.Sprintf("route-%d", i+1), g.at
	if g.v.name.at != nil {
		name, at = g.v.name.v, g.v.name.at
		if !g.v.name.ok {
			return name
		}
	}
	if first, ok := seen[name]; ok {
		hint := "give one of them another name"
		if g.v.name.at == nil {
			hint = "a route without a name is called by its position; give this one a name of its own"
		}
		b.reject(at, fmt.Sprintf("two routes are called %q; the other is at line %d", name, first.line), hint)
		return name
	}
	seen[name] = at
	return name
}

// known returns the names in a list that are defined, and reports those that are
// not, or are there twice.
func (b *builder) known(list given[[]given[string]], what string, defined []string) []string {
	var all []string
	for _, g := range list.v {
		switch {
		case !g.ok: // reported
		case !slices.Contains(defined, g.v):
			b.unknownName(g.at, what, g.v, defined)
		case slices.Contains(all, g.v):
			b.reject(g.at, fmt.Sprintf("the %s %q is there twice", what, g.v), "remove one of them")
		default:
			all = append(all, g.v)
		}
	}
	return all
}

// unused warns of definitions that no route uses.
func unused[V any](b *builder, defined []named[V], used []string, message string) {
	for _, one := range defined {
		if !slices.Contains(used, one.name) {
			b.warn(one.at, fmt.Sprintf(message, one.name), "add a route below routes:")
		}
	}
}

func definedNames[V any](all []named[V]) []string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.name
	}
	return names
}
