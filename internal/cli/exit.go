package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
)

// An exit is an exit code of the program.
type exit int

// The exit codes. They are part of the command line's contract.
const (
	exitDone        exit = 0 // done
	exitFailed      exit = 1 // failed
	exitUsage       exit = 2 // the command line is wrong
	exitConfig      exit = 3 // the configuration is wrong
	exitUndelivered exit = 4 // not verified or not delivered
	exitUnreachable exit = 5 // the server cannot be reached
)

func (e exit) String() string {
	switch e {
	case exitDone:
		return "done"
	case exitFailed:
		return "failed"
	case exitUsage:
		return "wrong usage"
	case exitConfig:
		return "wrong configuration"
	case exitUndelivered:
		return "not verified or not delivered"
	case exitUnreachable:
		return "cannot reach the server"
	}
	return fmt.Sprintf("exit %d", int(e))
}

// A failure is an error that says how the program ends, and what to do about it.
type failure struct {
	exit exit
	err  error
	hint string
	told bool // the user was told already, as part of the data
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usageError returns an error in the command line.
func usageError(hint, format string, args ...any) error {
	return &failure{exit: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// withHint adds to err what to do about it.
func withHint(err error, hint string) error {
	return &failure{exit: reportOf(err).Exit, err: err, hint: hint}
}

// A report is what a user is told of an error.
type report struct {
	Exit     exit             `json:"exit"`
	Message  string           `json:"message"`
	Hint     string           `json:"hint,omitempty"`
	Problems []config.Problem `json:"problems,omitempty"`
	told     bool
}

// reportOf turns an error into what the user is told and how the program ends.
// It is the only place that knows which kind of error has which exit code.
func reportOf(err error) report {
	r := report{Exit: exitFailed, Message: err.Error()}
	var failed *failure
	var answer *api.Problem
	switch {
	case errors.As(err, &failed):
		r.Exit, r.Hint, r.told = failed.exit, failed.hint, failed.told
	case errors.Is(err, api.ErrUnreachable):
		r.Exit, r.Hint = exitUnreachable, "is it running? Start it with tenterhook serve, or name another with --server URL"
	case errors.As(err, &answer):
		r.Hint = answer.Hint
		if answer.Code == api.CodeConfiguration {
			r.Exit = exitConfig
		}
	case errors.Is(err, context.Canceled):
		r.Message = "interrupted"
	}
	errors.As(err, (*config.Problems)(&r.Problems))
	if len(r.Problems) > 0 {
		r.Exit = exitConfig
	}
	return r
}
