package store

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/tenterhook/tenterhook"
)

// The functions here read one row of a query each. The columns are of the types
// that the migrations give them, and NOT NULL unless it is said otherwise, so
// that a failed type assertion leaves the zero value of a NULL.

func scanID(v driver.Value) (tenterhook.ID, error) {
	b, ok := v.([]byte)
	if !ok {
		return tenterhook.ID{}, fmt.Errorf("want an id, got %T", v)
	}
	return idOf(b)
}

// scanEvent reads eventColumns.
func scanEvent(row []driver.Value) (*EventRow, error) {
	id, err := scanID(row[0])
	if err != nil {
		return nil, err
	}
	r := &EventRow{}
	r.ID = id
	// The columns are of these types, and NOT NULL but for redelivery_of and marks.
	r.Tenant, _ = row[1].(string)
	r.Source, _ = row[2].(string)
	r.Type, _ = row[3].(string)
	r.DeliveryID, _ = row[4].(string)
	received, _ := row[5].(int64)
	r.Size, _ = row[6].(int64)
	sha, _ := row[7].([]byte)
	r.ReceivedAt, r.BodySHA256 = fromMicros(received), hex.EncodeToString(sha)
	if of, ok := row[8].([]byte); ok {
		if r.RedeliveryOf, err = idOf(of); err != nil {
			return nil, err
		}
	}
	decisions, _ := row[9].(string)
	if r.Decisions, err = decodeDecisions(decisions); err != nil {
		return nil, err
	}
	marks, _ := row[10].(string) // NULL for most
	r.Marks, err = decodeMarks(marks)
	return r, err
}

// scanDelivery reads deliveryColumns.
func scanDelivery(row []driver.Value) (*tenterhook.Delivery, error) {
	id, err := scanID(row[0])
	if err != nil {
		return nil, err
	}
	d := &tenterhook.Delivery{ID: id}
	d.Tenant, _ = row[1].(string)
	d.Destination, _ = row[2].(string)
	d.Route, _ = row[3].(string)
	state, _ := row[4].(int64)
	attempts, _ := row[5].(int64)
	round, _ := row[6].(int64)
	next, _ := row[7].(int64)
	updated, _ := row[8].(int64)
	status, _ := row[9].(int64)
	d.LastError, _ = row[10].(string)
	d.Attempts, d.Round, d.LastStatus = int(attempts), int(round), int(status)
	d.NextAt, d.UpdatedAt = fromMicros(next), fromMicros(updated)
	d.State, err = decode(states(), state)
	return d, err
}

// scanAttempt reads the columns of selectAttempts. The response may be NULL.
func scanAttempt(row []driver.Value) (*tenterhook.Attempt, error) {
	id, err := scanID(row[0])
	if err != nil {
		return nil, err
	}
	a := &tenterhook.Attempt{ID: id}
	started, _ := row[1].(int64)
	duration, _ := row[2].(int64)
	outcome, _ := row[3].(int64)
	status, _ := row[4].(int64)
	a.Error, _ = row[5].(string)
	retryAfter, _ := row[6].(int64)
	a.Response, _ = row[7].([]byte)
	a.StartedAt, a.Status = fromMicros(started), int(status)
	a.Duration = time.Duration(duration) * time.Microsecond
	a.RetryAfter = time.Duration(retryAfter) * time.Microsecond
	a.Outcome, err = decode(outcomes(), outcome)
	return a, err
}

// scanRedelivery reads the columns of selectRedeliveries.
func scanRedelivery(row []driver.Value) (*Redelivery, error) {
	at, _ := row[0].(int64)
	same, _ := row[1].(int64)
	requeued, _ := row[2].(int64)
	added, _ := row[3].(int64)
	return &Redelivery{At: fromMicros(at), SameBody: same != 0, Requeued: int(requeued), Added: int(added)}, nil
}

// scanRejection reads the columns of selectRejections.
func scanRejection(row []driver.Value) (*tenterhook.Rejection, error) {
	r := &tenterhook.Rejection{}
	r.ID, _ = row[0].(int64)
	at, _ := row[1].(int64)
	r.Source, _ = row[2].(string)
	status, _ := row[3].(int64)
	r.Reason, _ = row[4].(string)
	r.Detail, _ = row[5].(string)
	r.Size, _ = row[6].(int64)
	r.BodySHA256, _ = row[7].(string)
	r.Peer, _ = row[8].(string)
	r.DeliveryID, _ = row[9].(string)
	r.At, r.Status = fromMicros(at), int(status)
	return r, nil
}
