package deliver

import (
	"context"
	"log/slog"

	"github.com/tenterhook/tenterhook"
)

// report tells log and observer about an attempt.
func (e *Engine) report(o Observation) {
	level := slog.LevelInfo
	if o.Delivery.State == tenterhook.StateDead {
		level = slog.LevelWarn
	}
	if ctx := context.Background(); e.log.Enabled(ctx, level) {
		var attrs [maxAttrs]slog.Attr
		e.log.LogAttrs(ctx, level, "attempt", o.attrs(attrs[:0])...)
	}
	if e.opts.Observe != nil {
		e.opts.Observe(o)
	}
}

// maxAttrs is how many attributes a line has at the most.
const maxAttrs = 14

// attrs appends what is to be told about o.
func (o *Observation) attrs(attrs []slog.Attr) []slog.Attr {
	attrs = append(attrs,
		slog.String("destination", o.Delivery.Destination),
		slog.String("delivery", o.Delivery.ID.String()),
		slog.Int("attempt", o.Delivery.Attempts),
		slog.String("outcome", string(o.Attempt.Outcome)),
		slog.String("state", string(o.Delivery.State)),
		slog.Int("status", o.Attempt.Status),
		slog.Duration("duration", o.Attempt.Duration),
		slog.Duration("late", o.Late),
		slog.String("route", o.Delivery.Route),
	)
	if o.Event != nil {
		attrs = append(attrs, slog.String("source", o.Event.Source), slog.String("type", o.Event.Type))
	}
	if o.Delivery.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", o.Delivery.Tenant))
	}
	if o.Attempt.Error != "" {
		attrs = append(attrs, slog.String("error", o.Attempt.Error))
	}
	if o.Delivery.State == tenterhook.StateRetrying {
		attrs = append(attrs, slog.Time("next_at", o.Delivery.NextAt))
	}
	return attrs
}
