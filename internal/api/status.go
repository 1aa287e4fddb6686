package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook/internal/store"
)

// A RejectionQuery asks for the newest rejections.
type RejectionQuery struct {
	Limit int `query:"limit" doc:"At most so many" minimum:"1" maximum:"500" default:"50"`
}

func (q RejectionQuery) values() url.Values {
	v := url.Values{}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// A Version says what runs.
type Version struct {
	Version string `json:"version"`
}

func (h *handler) registerStatus(a huma.API) {
	add(h, a, operation(a, http.MethodGet, "/rejections", "list-rejections", "status",
		"List refused requests"), h.listRejections)
	add(h, a, operation(a, http.MethodGet, "/stats", "get-stats", "status",
		"Count what is in the store"), h.getStats)
	add(h, a, operation(a, http.MethodGet, "/version", "get-version", "status",
		"Say which version runs"), h.getVersion)
}

func (h *handler) listRejections(ctx context.Context, in *RejectionQuery) (List[Rejection], error) {
	limit := in.Limit
	if limit == 0 {
		limit = store.DefaultPage
	}
	rows, err := h.Status.Rejections(ctx, limit)
	if err != nil {
		return List[Rejection]{}, err
	}
	out := List[Rejection]{Items: []Rejection{}}
	for _, r := range rows {
		out.Items = append(out.Items, newRejection(r))
	}
	return out, nil
}

func (h *handler) getStats(ctx context.Context, _ *struct{}) (Stats, error) {
	s, err := h.Status.Stats(ctx)
	if err != nil {
		return Stats{}, err
	}
	return newStats(s), nil
}

func (h *handler) getVersion(context.Context, *struct{}) (Version, error) {
	return Version{Version: h.Options.Version}, nil
}
