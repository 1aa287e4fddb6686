package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// A DeliveryQuery asks for a page of the deliveries that it chooses. Zero
// fields choose all.
type DeliveryQuery struct {
	Event       tenterhook.ID    `query:"event" doc:"Deliveries of this event"`
	Destination string           `query:"destination" doc:"Exactly this destination"`
	State       tenterhook.State `query:"state" doc:"In this state" enum:"pending,retrying,delivered,dead,held,cancelled"`
	Since       Time             `query:"since" doc:"Event received at or after"`
	Until       Time             `query:"until" doc:"Event received before"`
	Cursor
}

func (q DeliveryQuery) values() url.Values {
	v := url.Values{}
	set(v, "event", q.Event.String())
	set(v, "destination", q.Destination)
	set(v, "state", string(q.State))
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	q.add(v)
	return v
}

// deliveryPath is the input of an operation on one delivery.
type deliveryPath struct {
	ID tenterhook.ID `path:"id" doc:"A delivery's id" example:"dlv_01JD7Q4ZK0X5V9R2M8T4002000"`
}

// check refuses the id of something else.
func (p deliveryPath) check() error {
	if p.ID.DeliveryNumber() == 0 || p.ID.AttemptNumber() != 0 {
		return newProblem(http.StatusUnprocessableEntity, CodeInvalid, p.ID.String()+" is not a delivery", "")
	}
	return nil
}

func (h *handler) registerDeliveries(a huma.API) {
	add(h, a, operation(a, http.MethodGet, "/deliveries", "list-deliveries", "deliveries",
		"List deliveries"), h.listDeliveries)
	add(h, a, operation(a, http.MethodGet, "/deliveries/{id}", "get-delivery", "deliveries",
		"Show a delivery and its attempts"), h.getDelivery)
	add(h, a, operation(a, http.MethodPost, "/deliveries/{id}/retry", "retry-delivery", "deliveries",
		"Try a finished delivery again, now"), h.retryDelivery)
	add(h, a, operation(a, http.MethodPost, "/deliveries/{id}/cancel", "cancel-delivery", "deliveries",
		"Stop a delivery that is not finished"), h.cancelDelivery)
}

func (h *handler) listDeliveries(ctx context.Context, in *DeliveryQuery) (Page[Delivery], error) {
	f := store.DeliveryFilter{
		Event: in.Event, Destination: in.Destination, State: in.State, Since: in.Since.Time, Until: in.Until.Time,
	}
	rows, err := h.Deliveries.Deliveries(ctx, f, in.page())
	if err != nil {
		return Page[Delivery]{}, err
	}
	return newPage(rows, in.limit(), newDelivery, func(d Delivery) tenterhook.ID { return d.ID }), nil
}

func (h *handler) getDelivery(ctx context.Context, in *deliveryPath) (DeliveryDetail, error) {
	if err := in.check(); err != nil {
		return DeliveryDetail{}, err
	}
	d, attempts, err := h.Deliveries.Delivery(ctx, in.ID)
	if err != nil {
		return DeliveryDetail{}, err
	}
	out := DeliveryDetail{Delivery: newDelivery(*d), History: []Attempt{}}
	for _, a := range attempts {
		out.History = append(out.History, newAttempt(a))
	}
	return out, nil
}

func (h *handler) retryDelivery(ctx context.Context, in *deliveryPath) (Delivery, error) {
	return changeDelivery(ctx, in, h.Deliveries.Requeue)
}

func (h *handler) cancelDelivery(ctx context.Context, in *deliveryPath) (Delivery, error) {
	return changeDelivery(ctx, in, h.Deliveries.Cancel)
}

func changeDelivery(
	ctx context.Context, in *deliveryPath, change func(context.Context, tenterhook.ID) (*tenterhook.Delivery, error),
) (Delivery, error) {
	if err := in.check(); err != nil {
		return Delivery{}, err
	}
	d, err := change(ctx, in.ID)
	if err != nil {
		return Delivery{}, err
	}
	return newDelivery(*d), nil
}
