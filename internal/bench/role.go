package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The roles that a process can have.
const (
	roleGateway  = "gateway"
	roleReceiver = "receiver"
	roleLoad     = "load"
	roleFill     = "fill"
)

// Roles returns the names of the roles that [Child] plays.
func Roles() []string { return []string{roleGateway, roleReceiver, roleLoad, roleFill} }

// An order is what the parent asks of a child, a line of JSON.
type order struct {
	Do  string          `json:"do"`
	Arg json.RawMessage `json:"arg"`
}

// An answer is what the child says to an order, a line of JSON.
type answer struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// An action carries out one kind of order.
type action func(ctx context.Context, arg json.RawMessage) (any, error)

// act makes an action of a function with types.
func act[A, R any](do func(ctx context.Context, arg A) (R, error)) action {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var arg A
		if err := json.Unmarshal(raw, &arg); err != nil {
			return nil, fmt.Errorf("read order: %w", err)
		}
		return do(ctx, arg)
	}
}

// none is the argument or result of an action that has none.
type none struct{}

// A role is what a child process does, as the actions that it knows.
type role interface {
	actions() map[string]action
	close() error
}

// Child plays a role of [Roles]: it carries out orders from in, one after the
// other, and answers each on out, until in ends. Ending with in, a child does not
// outlive its parent. The error says that in or out failed, or that there is no
// such role; what goes wrong with an order is its answer.
func Child(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	r, err := newRole(ctx, name)
	if err != nil {
		return err
	}
	return errors.Join(obey(ctx, r, in, out), r.close())
}

func newRole(ctx context.Context, name string) (role, error) {
	switch name {
	case roleGateway:
		return &gateway{}, nil
	case roleReceiver:
		return newReceiver(ctx)
	case roleLoad:
		return &load{}, nil
	case roleFill:
		return &fill{}, nil
	}
	return nil, fmt.Errorf("no role is called %q", name)
}

func obey(ctx context.Context, r role, in io.Reader, out io.Writer) error {
	actions := r.actions()
	actions["usage"] = act(func(context.Context, none) (usage, error) { return ownUsage() })
	actions["reset"] = act(func(context.Context, none) (none, error) { return none{}, resetPeak() })
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && len(bytes.TrimSpace(line)) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("read orders: %w", err)
		}
		text, err := json.Marshal(carryOut(ctx, actions, line))
		if err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
}

func carryOut(ctx context.Context, actions map[string]action, line []byte) answer {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return answer{Error: fmt.Sprintf("read order: %v", err)}
	}
	do, ok := actions[o.Do]
	if !ok {
		return answer{Error: fmt.Sprintf("no order is called %q", o.Do)}
	}
	result, err := do(ctx, o.Arg)
	if err != nil {
		return answer{Error: err.Error()}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return answer{Error: fmt.Sprintf("write result: %v", err)}
	}
	return answer{Result: text}
}
