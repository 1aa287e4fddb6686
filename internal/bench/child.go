package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"
)

// lastWords is how much of a child's stderr is kept, to tell why it ended.
const lastWords = 4 << 10

// endGrace bounds how long a child may take to end once its orders have.
const endGrace = 30 * time.Second

// A child is a process in a role, as its parent sees it. It is for one goroutine.
type child struct {
	role    string
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	words   *tail
	started time.Time
	ended   bool
}

// spawn starts command with a role as its last argument. The child is killed when
// ctx ends.
func spawn(ctx context.Context, command []string, role string) (*child, error) {
	argv := slices.Concat(command, []string{role})
	c := &child{role: role, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), words: &tail{}}
	c.cmd.Stderr = c.words
	c.cmd.WaitDelay = time.Second
	var err error
	if c.orders, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	c.answers = bufio.NewReader(out)
	c.started = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	return c, nil
}

// ask gives c an order and returns its result.
func ask[R any](ctx context.Context, c *child, do string, arg any) (R, error) {
	var result R
	fail := func(err error) (R, error) {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return result, fmt.Errorf("%s: %s: %w", c.role, do, err)
	}
	raw, err := json.Marshal(arg)
	if err != nil {
		return fail(err)
	}
	text, err := json.Marshal(order{Do: do, Arg: raw})
	if err != nil {
		return fail(err)
	}
	if _, err := c.orders.Write(append(text, '\n')); err != nil {
		return fail(c.why(err))
	}
	line, err := c.answers.ReadBytes('\n')
	if err != nil {
		return fail(c.why(err))
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return fail(err)
	}
	if a.Error != "" {
		return fail(errors.New(a.Error))
	}
	if err := json.Unmarshal(a.Result, &result); err != nil {
		return fail(err)
	}
	return result, nil
}

// why explains that the child does not answer by what it last said, if anything.
func (c *child) why(err error) error {
	if !c.ended {
		c.kill()
	}
	if words := bytes.TrimSpace(c.words.kept); len(words) > 0 {
		return fmt.Errorf("the process ended: %s", words)
	}
	return fmt.Errorf("the process ended: %w", err)
}

// kill ends the child at once, as kill -9 does, and returns when it is gone.
func (c *child) kill() {
	if c.ended {
		return
	}
	c.ended = true
	_ = c.cmd.Process.Kill() // it has ended by itself
	_ = c.cmd.Wait()         // it was killed: what it says of itself is that
}

// end lets the child end in order.
func (c *child) end() error {
	if c.ended {
		return nil
	}
	c.ended = true
	_ = c.orders.Close() // it has ended, which Wait tells
	late := time.AfterFunc(endGrace, func() {
		_ = c.cmd.Process.Kill() // it has just ended
	})
	defer late.Stop()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("end %s: %w: %s", c.role, err, bytes.TrimSpace(c.words.kept))
	}
	return nil
}

// A tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - lastWords; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}
