package destination

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tenterhook/tenterhook"
)

const (
	defaultCommandTimeout = time.Minute
	defaultGrace          = 5 * time.Second
	defaultPath           = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	maxOutput             = 64 << 10 // bytes of what a command prints that are kept
	// outputDelay is how long a command's output is still read after all of its
	// process group has ended. Only who left the group can hold it open then.
	outputDelay = time.Second
)

// CommandConfig describes a command that is run once for each attempt.
type CommandConfig struct {
	// Argv is the program and its arguments. They are passed on as they are;
	// there is no shell, and nothing in them stands for anything else. A program
	// without a slash is looked for in Path, at each attempt.
	Argv []string
	// Dir is where the command runs, and what a program with a slash is relative
	// to; empty means where the gateway runs.
	Dir string
	// Timeout bounds an attempt; 0 means one minute.
	Timeout time.Duration
	// Grace is the time between SIGTERM and SIGKILL when Timeout is over or the
	// gateway stops; 0 means 5 s.
	Grace time.Duration
	// Path and Home become the command's PATH and HOME. They come from the
	// gateway's own environment. An empty Path means the usual directories; an
	// empty Home is left out.
	Path, Home string
}

// WithDefaults returns c with its empty fields filled in.
func (c CommandConfig) WithDefaults() CommandConfig {
	if c.Timeout == 0 {
		c.Timeout = defaultCommandTimeout
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.Path == "" {
		c.Path = defaultPath
	}
	return c
}

// Validate reports everything that is wrong with c, joined, after its defaults
// are filled in. Whether the program is there is seen at each attempt.
func (c CommandConfig) Validate() error {
	c = c.WithDefaults()
	var errs []error
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		errs = append(errs, errors.New("command: names no program"))
	}
	texts := append([]string{c.Dir, c.Path, c.Home}, c.Argv...)
	if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "\x00") }) {
		errs = append(errs, errors.New("command: holds a NUL byte"))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout: %v is negative", c.Timeout))
	}
	if c.Grace < 0 {
		errs = append(errs, fmt.Errorf("grace: %v is negative", c.Grace))
	}
	return errors.Join(errs...)
}

// Command is a command on this machine.
//
// It gets the event's body on its standard input, and what else there is to know
// in its environment: TENTERHOOK_EVENT_ID, _EVENT_TYPE, _SOURCE, _DELIVERY_ID,
// _ATTEMPT (1, 2, ...), _RECEIVED_AT (RFC 3339), _TENANT, _ROUTE and
// _PROVIDER_DELIVERY_ID, besides PATH and HOME. The values come from outside:
// quote them where a shell reads them.
//
// It runs in a process group of its own, which ends when the command does:
// whatever it left running in the group is killed. Something that is to go on
// must leave the group, as setsid does.
type Command struct {
	name   string
	config CommandConfig
}

// NewCommand returns the command that c describes, which is called name. The
// error is that of [CommandConfig.Validate].
func NewCommand(name string, c CommandConfig) (*Command, error) {
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("destination %q: %w", name, err)
	}
	c.Argv = slices.Clone(c.Argv)
	return &Command{name: name, config: c}, nil
}

// Name returns the destination's name.
func (c *Command) Name() string { return c.name }

// Deliver runs the command for e. Exit code 0 is success. Any other, a time-out,
// and a program that is not there or cannot be started are to be retried: people
// put such things right. Refused is what no command can be given, such as a NUL
// byte in the event's type.
//
// Status is the exit code, and 0 if a signal ended the command. Response is what
// it printed first, to standard output and standard error together.
func (c *Command) Deliver(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
	if ctx.Err() != nil {
		return retry(interrupted)
	}
	env, err := c.environment(e, d)
	if err != nil {
		return refused(err.Error())
	}
	program, err := c.program()
	if err != nil {
		return retry(err.Error())
	}
	var output head
	cmd := &exec.Cmd{
		Path: program, Args: c.config.Argv, Env: env, Dir: c.config.Dir,
		Stdin: bytes.NewReader(e.Body), Stdout: &output, Stderr: &output,
		SysProcAttr: ownGroup(), WaitDelay: outputDelay,
	}
	limited, cancel := context.WithTimeoutCause(ctx, c.config.Timeout, errTimeout)
	defer cancel()
	stopped, err := c.run(limited, cmd)
	a := c.ended(cmd, err)
	if stopped {
		a.Outcome, a.Error = tenterhook.OutcomeRetry, interrupted
		if errors.Is(context.Cause(limited), errTimeout) {
			a.Error = fmt.Sprintf("not done within %v, stopped", c.config.Timeout)
		}
	}
	a.Response = output.kept
	return a
}

// run starts cmd and returns when it has ended and been waited for. If ctx ends
// first, it stops cmd's process group and reports so.
func (c *Command) run(ctx context.Context, cmd *exec.Cmd) (stopped bool, err error) {
	// The kernel kills the child when the thread that made it ends, so the thread
	// must not be one that may.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start: %w", err)
	}
	group := processGroup(cmd.Process.Pid)
	exited, done := make(chan struct{}), make(chan struct{})
	disarm := context.AfterFunc(ctx, func() {
		defer close(done)
		group.signal(syscall.SIGTERM)
		grace := time.NewTimer(c.config.Grace)
		defer grace.Stop()
		select {
		case <-exited:
		case <-grace.C:
			group.signal(syscall.SIGKILL)
		}
	})
	err = waitGroup(cmd, func() {
		close(exited)
		if stopped = !disarm(); stopped {
			<-done
		}
		group.signal(syscall.SIGKILL)
	})
	return stopped, err
}

// ended returns what became of an attempt that cmd made, err being what starting
// and waiting for it returned.
func (c *Command) ended(cmd *exec.Cmd, err error) tenterhook.Attempt {
	state := cmd.ProcessState
	switch {
	case state == nil && errors.Is(err, syscall.E2BIG):
		return refused("the event is too long for the command's environment")
	case state == nil:
		return retry(fmt.Sprintf("command %q could not be started: %s", c.config.Argv[0], innermost(err)))
	case state.Success():
		// Also if it did not read all of its input, or left its output open.
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
	case !state.Exited():
		return retry("ended by " + state.String()) // such as "signal: killed"
	}
	a := retry("exit code " + strconv.Itoa(state.ExitCode()))
	a.Status = state.ExitCode()
	return a
}

// environment returns all that the command sees as its environment.
func (c *Command) environment(e *tenterhook.Event, d *tenterhook.Delivery) ([]string, error) {
	env := []string{
		"PATH=" + c.config.Path,
		"TENTERHOOK_EVENT_ID=" + e.ID.String(),
		"TENTERHOOK_EVENT_TYPE=" + e.Type,
		"TENTERHOOK_SOURCE=" + e.Source,
		"TENTERHOOK_DELIVERY_ID=" + d.ID.String(),
		"TENTERHOOK_ATTEMPT=" + strconv.Itoa(d.Attempts+1),
		"TENTERHOOK_RECEIVED_AT=" + e.ReceivedAt.UTC().Format(time.RFC3339Nano),
		"TENTERHOOK_TENANT=" + e.Tenant,
		"TENTERHOOK_ROUTE=" + d.Route,
		"TENTERHOOK_PROVIDER_DELIVERY_ID=" + e.DeliveryID,
	}
	if c.config.Home != "" {
		env = append(env, "HOME="+c.config.Home)
	}
	for _, variable := range env {
		if strings.Contains(variable, "\x00") {
			name, _, _ := strings.Cut(variable, "=")
			return nil, fmt.Errorf("%s would hold a NUL byte", name)
		}
	}
	return env, nil
}

// program returns the path of the program to run.
func (c *Command) program() (string, error) {
	name := c.config.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(c.config.Path) {
		if !filepath.IsAbs(dir) {
			continue // what stands in the working directory is no program of the system's
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("command %q not found in PATH", name)
}

// A head is a writer that keeps the first [maxOutput] bytes and takes the rest
// as well, so that whoever prints too much is not held up.
type head struct{ kept []byte }

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), maxOutput-len(h.kept))]...)
	return len(p), nil
}
