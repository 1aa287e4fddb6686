// Package route decides which destinations an event goes to, and can say why.
//
// A [Table] is made once from the routes of a configuration and is then only
// read: it has no goroutines, keeps nothing, and the same event always gets the
// same answer. [Table.Decide] is on the way of every accepted event. It looks
// only at the routes from the event's source, and reads the payload only if a
// route whose type matches has a filter. [Table.Explain] answers the same
// question for people: it goes through all routes and words the reasons.
package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/filter"
)

// ErrUnknownRoute is returned, wrapped, for the name of a route that is not in
// the table, such as one that was removed after it had made a delivery.
var ErrUnknownRoute = errors.New("unknown route")

// A Route says which events go where.
type Route struct {
	Name      string          // unique within a table
	From      []string        // names of sources; at least one
	Types     []string        // patterns as in MatchType, of which one must match; none means all types
	When      *filter.Program // must be true of the payload; nil means always
	Transform *filter.Program // makes the body that is sent; nil leaves the body untouched
	To        []string        // names of destinations; at least one
}

// A Table holds routes, in order. It may be used by several goroutines.
type Table struct {
	routes   []Route
	bySource map[string][]int // indexes into routes, in order
	byName   map[string]int
}

// New makes a table. It refuses routes without a name, a source or a
// destination, names that come twice, empty patterns, and more destinations
// than one event can have deliveries.
func New(routes []Route) (*Table, error) {
	t := &Table{
		routes:   make([]Route, 0, len(routes)),
		bySource: make(map[string][]int),
		byName:   make(map[string]int, len(routes)),
	}
	destinations := make(map[string]bool)
	for i, r := range routes {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("route %d (%q): %w", i+1, r.Name, err)
		}
		if first, taken := t.byName[r.Name]; taken {
			return nil, fmt.Errorf("route %d (%q): route %d has the same name", i+1, r.Name, first+1)
		}
		t.byName[r.Name] = i
		t.routes = append(t.routes, r.clone())
		for _, source := range r.From {
			t.bySource[source] = append(t.bySource[source], i)
		}
		for _, destination := range r.To {
			destinations[destination] = true
		}
	}
	if len(destinations) > tenterhook.MaxDeliveries {
		return nil, fmt.Errorf("%d destinations, more than %d", len(destinations), tenterhook.MaxDeliveries)
	}
	return t, nil
}

// Routes returns the routes, in order.
func (t *Table) Routes() []Route {
	routes := make([]Route, len(t.routes))
	for i, r := range t.routes {
		routes[i] = r.clone()
	}
	return routes
}

func (r *Route) check() error {
	switch {
	case r.Name == "":
		return errors.New("no name")
	case len(r.From) == 0:
		return errors.New("from no source")
	case len(r.To) == 0:
		return errors.New("to no destination")
	}
	for _, list := range [][]string{r.From, r.Types, r.To} {
		seen := make(map[string]bool, len(list))
		for _, name := range list {
			switch {
			case name == "":
				return errors.New("empty name of a source, type or destination")
			case seen[name]:
				return fmt.Errorf("%q is listed twice", name)
			}
			seen[name] = true
		}
	}
	return nil
}

// clone returns a copy that shares nothing that can be changed.
func (r *Route) clone() Route {
	c := *r
	c.From, c.Types, c.To = slices.Clone(r.From), slices.Clone(r.Types), slices.Clone(r.To)
	return c
}

func (r *Route) matchesType(typ string) bool {
	if len(r.Types) == 0 {
		return true
	}
	for _, pattern := range r.Types {
		if MatchType(pattern, typ) {
			return true
		}
	}
	return false
}

// MatchType reports whether an event's type matches a pattern. In a pattern each
// * stands for any run of characters, dots included. A pattern without * matches
// the type itself and everything below it: pull_request matches pull_request and
// pull_request.opened, but not pull_request_review.
func MatchType(pattern, typ string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	typ, found := strings.CutPrefix(typ, head)
	if !found {
		return false
	}
	if !star {
		return typ == "" || typ[0] == '.' && pattern != ""
	}
	// Taking the first place where each middle piece fits leaves the most for the
	// pieces after it, so there is no need to try others.
	for {
		piece, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(typ, piece)
		}
		i := strings.Index(typ, piece)
		if i < 0 {
			return false
		}
		typ, rest = typ[i+len(piece):], after
	}
}

// Deliveries returns the deliveries that the matched decisions ds about e make:
// one for each destination, on behalf of the first route that names it. They are
// numbered from 1 in the order of the decisions, and are due at once.
func (t *Table) Deliveries(e *tenterhook.Event, ds []tenterhook.Decision) []tenterhook.Delivery {
	most := 0
	for i := range ds {
		if ds[i].Verdict == tenterhook.VerdictMatched {
			most += len(ds[i].To)
		}
	}
	if most == 0 {
		return nil
	}
	deliveries := make([]tenterhook.Delivery, 0, most)
	taken := newNames(most)
	for i := range ds {
		if ds[i].Verdict != tenterhook.VerdictMatched {
			continue
		}
		for _, destination := range ds[i].To {
			if len(deliveries) == tenterhook.MaxDeliveries || !taken.add(destination) {
				continue
			}
			deliveries = append(deliveries, tenterhook.Delivery{
				ID:          e.ID.Delivery(len(deliveries) + 1),
				Tenant:      e.Tenant,
				Destination: destination,
				Route:       ds[i].Route,
				State:       tenterhook.StatePending,
				NextAt:      e.ReceivedAt,
				UpdatedAt:   e.ReceivedAt,
			})
		}
	}
	return deliveries
}

// names is a set of names: a list while it is short, which needs no memory.
type names struct {
	few  [8]string
	n    int
	many map[string]bool
}

func newNames(most int) *names {
	s := &names{}
	if most > len(s.few) {
		s.many = make(map[string]bool, most)
	}
	return s
}

// add reports whether name was not in s, and adds it.
func (s *names) add(name string) bool {
	if s.many != nil {
		if s.many[name] {
			return false
		}
		s.many[name] = true
		return true
	}
	if slices.Contains(s.few[:s.n], name) {
		return false
	}
	s.few[s.n] = name
	s.n++
	return true
}
