package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// Bounds of a replay of many events.
const (
	MaxReplay     = 10_000
	DefaultReplay = 100
)

// A ReplayRequest asks to send an event again.
type ReplayRequest struct {
	Destinations []string `json:"destinations,omitempty" doc:"Only to these; without any, to all that the present routes choose"`
}

// A ReplayResult says what a replay set off.
type ReplayResult struct {
	EventID   tenterhook.ID         `json:"event_id"`
	Decisions []tenterhook.Decision `json:"decisions" nullable:"false" doc:"What the present routes made of the event"`
	Requeued  []Delivery            `json:"requeued" nullable:"false" doc:"Deliveries that were there and are tried again"`
	Added     []Delivery            `json:"added" nullable:"false" doc:"Deliveries to destinations the event had not been sent to"`
	Waiting   []Delivery            `json:"waiting" nullable:"false" doc:"Deliveries that still wait and are left alone"`
}

// A ReplayManyRequest asks to send the events again that a filter chooses.
type ReplayManyRequest struct {
	Filter       EventFilter `json:"filter,omitzero"`
	Destinations []string    `json:"destinations,omitempty" doc:"Only to these; without any, to all that the present routes choose"`
	Limit        int         `json:"limit,omitempty" doc:"At most so many events, the newest" minimum:"1" maximum:"10000" default:"100"`
	DryRun       bool        `json:"dry_run,omitempty" doc:"Only say what would be done"`
}

// A ReplayManyResult says what a replay of many events set off, or would.
type ReplayManyResult struct {
	DryRun       bool           `json:"dry_run"`
	Events       int            `json:"events" doc:"Events that the filter chose, up to the limit"`
	More         bool           `json:"more" doc:"The filter chooses more events than the limit"`
	Destinations map[string]int `json:"destinations" doc:"Deliveries set off, by destination"`
	Waiting      int            `json:"waiting" doc:"Deliveries that still wait and are left alone; a dry run counts them as set off"`
	Unmatched    int            `json:"unmatched" doc:"Events that no present route sends anywhere"`
	Pruned       int            `json:"pruned" doc:"Events whose body is no longer kept"`
}

func (h *handler) registerReplay(a huma.API) {
	add(h, a, operation(a, http.MethodPost, "/events/{id}/replay", "replay-event", "events",
		"Send an event again"), h.replayEvent)
	add(h, a, operation(a, http.MethodPost, "/events/replay", "replay-events", "events",
		"Send many events again, oldest first"), h.replayEvents)
}

type replayInput struct {
	ID   tenterhook.ID `path:"id" doc:"An event's id"`
	Body *ReplayRequest
}

func (h *handler) replayEvent(ctx context.Context, in *replayInput) (ReplayResult, error) {
	e, err := h.event(ctx, &eventPath{ID: in.ID})
	if err != nil {
		return ReplayResult{}, err
	}
	var wanted []string
	if in.Body != nil {
		wanted = in.Body.Destinations
	}
	if err := h.checkDestinations(wanted); err != nil {
		return ReplayResult{}, err
	}
	plan, err := h.planReplay(ctx, e, wanted)
	if err != nil {
		return ReplayResult{}, err
	}
	if err := plan.checkComplete(wanted); err != nil {
		return ReplayResult{}, err
	}
	r := &store.ReplayResult{}
	if len(plan.deliveries) > 0 {
		if r, err = h.Events.Replay(ctx, e.ID, plan.deliveries); err != nil {
			return ReplayResult{}, err
		}
	}
	return ReplayResult{
		EventID: e.ID, Decisions: notNil(plan.decisions),
		Requeued: newDeliveries(r.Requeued), Added: newDeliveries(r.Added), Waiting: newDeliveries(r.Waiting),
	}, nil
}

// checkDestinations refuses names that the running configuration does not know:
// a delivery to one would wait for ever.
func (h *handler) checkDestinations(names []string) error {
	known := h.Config().Destinations
	for _, name := range names {
		if !slices.ContainsFunc(known, func(d Destination) bool { return d.Name == name }) {
			return newProblem(http.StatusUnprocessableEntity, CodeInvalid,
				fmt.Sprintf("there is no destination %q", name), "destinations: "+joinNames(known))
		}
	}
	return nil
}

func joinNames(ds []Destination) string {
	names := make([]string, 0, len(ds))
	for _, d := range ds {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// A replayPlan is what a replay of one event is to set off.
type replayPlan struct {
	event      tenterhook.ID
	decisions  []tenterhook.Decision
	deliveries []tenterhook.Delivery
}

// planReplay routes e anew. Where only some destinations are wanted, those that
// e was sent to before count as well, whatever routes say now.
func (h *handler) planReplay(ctx context.Context, e *tenterhook.Event, wanted []string) (replayPlan, error) {
	if pruned(e) {
		return replayPlan{}, prunedProblem(e)
	}
	p := replayPlan{event: e.ID}
	p.decisions, p.deliveries = h.Router.Route(ctx, e)
	if len(wanted) == 0 {
		return p, nil
	}
	p.deliveries = slices.DeleteFunc(p.deliveries, func(d tenterhook.Delivery) bool {
		return !slices.Contains(wanted, d.Destination)
	})
	if len(p.missing(wanted)) == 0 {
		return p, nil
	}
	detail, err := h.Events.EventDetail(ctx, e.ID)
	if err != nil {
		return replayPlan{}, err
	}
	for _, d := range detail.Deliveries {
		if slices.Contains(p.missing(wanted), d.Destination) {
			p.deliveries = append(p.deliveries, d)
		}
	}
	return p, nil
}

// missing returns the wanted destinations that the plan has no delivery for.
func (p replayPlan) missing(wanted []string) []string {
	var names []string
	for _, name := range wanted {
		if !slices.ContainsFunc(p.deliveries, func(d tenterhook.Delivery) bool { return d.Destination == name }) {
			names = append(names, name)
		}
	}
	return names
}

// checkComplete refuses a destination that was asked for by name and that the
// event may not go to: it is routes that say what goes where.
func (p replayPlan) checkComplete(wanted []string) error {
	if names := p.missing(wanted); len(names) > 0 {
		return newProblem(http.StatusUnprocessableEntity, CodeInvalid,
			fmt.Sprintf("no route sends this event to %q", names[0]),
			"GET "+Prefix+"/events/"+p.event.String()+"/explain says why")
	}
	return nil
}

type replayManyInput struct {
	Body ReplayManyRequest
}

func (h *handler) replayEvents(ctx context.Context, in *replayManyInput) (ReplayManyResult, error) {
	if err := h.checkDestinations(in.Body.Destinations); err != nil {
		return ReplayManyResult{}, err
	}
	limit := in.Body.Limit
	if limit == 0 {
		limit = DefaultReplay
	}
	ids, more, err := h.chosen(ctx, in.Body.Filter.store(), limit)
	if err != nil {
		return ReplayManyResult{}, err
	}
	out := ReplayManyResult{DryRun: in.Body.DryRun, Events: len(ids), More: more, Destinations: map[string]int{}}
	for _, id := range slices.Backward(ids) { // oldest first, as they came
		if err := h.replayOne(ctx, id, &in.Body, &out); err != nil {
			return ReplayManyResult{}, fmt.Errorf("replay %s: %w", id, err)
		}
	}
	return out, nil
}

// chosen returns the newest ids that f chooses, up to limit, and whether there
// are more.
func (h *handler) chosen(ctx context.Context, f store.EventFilter, limit int) ([]tenterhook.ID, bool, error) {
	var ids []tenterhook.ID
	page := store.Page{Limit: min(limit+1, store.MaxPage)}
	for len(ids) <= limit {
		rows, err := h.Events.Events(ctx, f, page)
		if err != nil {
			return nil, false, err
		}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if len(rows) < page.Limit {
			break
		}
		page.Before = ids[len(ids)-1]
	}
	if len(ids) > limit {
		return ids[:limit], true, nil
	}
	return ids, false, nil
}

// replayOne replays one event of many, or would, and counts what came of it.
func (h *handler) replayOne(ctx context.Context, id tenterhook.ID, r *ReplayManyRequest, out *ReplayManyResult) error {
	e, err := h.Events.Event(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && pruned(e) {
		out.Pruned++ // also if the whole event went meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	plan, err := h.planReplay(ctx, e, r.Destinations)
	if err != nil {
		return err
	}
	if len(plan.deliveries) == 0 {
		out.Unmatched++
		return nil
	}
	if r.DryRun {
		out.count(plan.deliveries)
		return nil
	}
	done, err := h.Events.Replay(ctx, id, plan.deliveries)
	if err != nil {
		return err
	}
	out.count(done.Requeued)
	out.count(done.Added)
	out.Waiting += len(done.Waiting)
	return nil
}

func (r *ReplayManyResult) count(ds []tenterhook.Delivery) {
	for _, d := range ds {
		r.Destinations[d.Destination]++
	}
}
