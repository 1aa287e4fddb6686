package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
)

// Env is the world outside that a configuration refers to. The zero value is
// that of this process; tests bring their own.
type Env struct {
	// LookupEnv returns an environment variable and whether it is set. Nil is
	// [os.LookupEnv].
	LookupEnv func(name string) (string, bool)
	// ReadFile returns the content of the configuration file, or of one that
	// holds a secret or a schema. Nil reads the disk, where a secret of this user that other
	// users may read is refused.
	ReadFile func(path string) ([]byte, error)
	// LookPath returns an error if there is no program of that name or path. Nil
	// is [exec.LookPath].
	LookPath func(file string) (string, error)
	// WithoutSecrets says that what LookupEnv and ReadFile return only stands in
	// for secrets, so that their form is not checked.
	WithoutSecrets bool
}

// The environment variables that stand for flags.
const (
	EnvConfig = "TENTERHOOK_CONFIG" // --config
	EnvListen = "TENTERHOOK_LISTEN" // --listen
	EnvAdmin  = "TENTERHOOK_ADMIN"  // --admin
	EnvData   = "TENTERHOOK_DATA"   // --data
)

// File returns the path of the configuration file: flag, or else
// TENTERHOOK_CONFIG, or else tenterhook.yaml in the working directory. An empty
// text counts as not given.
func (e Env) File(flag string) string {
	if path, _ := e.choose(flag, "", EnvConfig); path != "" {
		return path
	}
	return DefaultFile
}

// Flags are what a command line says instead of the file. Empty means that it
// says nothing.
type Flags struct{ Listen, Admin, Data string }

// Override lets flags, and after them the environment, win over the file. The
// error is [Problems], and c is then unchanged.
func (c *Config) Override(flags Flags, env Env) error {
	var problems Problems
	result := *c
	for _, o := range []struct {
		flag, name, variable string
		check                func(string) (string, *complaint)
		to                   *string
	}{
		{flags.Listen, "--listen", EnvListen, parseAddress, &result.Listen},
		{flags.Admin, "--admin", EnvAdmin, parseAddress, &result.Admin},
		{flags.Data, "--data", EnvData, nil, &result.Data},
	} {
		text, from := env.choose(o.flag, o.name, o.variable)
		if text == "" {
			continue
		}
		*o.to = text
		if o.check == nil {
			continue
		}
		if _, c := o.check(text); c != nil {
			problems = append(problems, Problem{File: from, Message: c.message, Hint: c.hint})
		}
	}
	if len(problems) == 0 && sameListener(result.Listen, result.Admin) {
		problems = append(problems, Problem{File: c.Path, Message: sameListenerMessage, Hint: sameListenerHint})
	}
	if len(problems) > 0 {
		return problems
	}
	*c = result
	return nil
}

// choose returns the flag's text, or else the variable's, and which it was.
func (e Env) choose(flag, name, variable string) (text, from string) {
	if flag != "" {
		return flag, name
	}
	return e.Getenv(variable), variable
}

// Getenv returns an environment variable. One that is not set is empty.
func (e Env) Getenv(name string) string {
	lookupEnv := e.LookupEnv
	if lookupEnv == nil {
		lookupEnv = os.LookupEnv
	}
	value, _ := lookupEnv(name)
	return value
}

const (
	sameListenerMessage = "the public and the private listener have the same address"
	sameListenerHint    = "give admin another port: what is private must not be where providers post"
)

// sameListener reports whether two addresses cannot both be listened on.
func sameListener(a, b string) bool {
	_, port, err := net.SplitHostPort(a)
	return err == nil && a == b && port != "0" // port 0 is a free one each time
}

// readConfig reads the configuration file, and no more of it than may be there.
func (e Env) readConfig(path string) ([]byte, error) {
	if e.ReadFile != nil {
		return e.ReadFile(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	return readBounded(f, maxFile+1)
}

// readBounded reads at most so many bytes, and closes f.
func readBounded(f io.ReadCloser, most int64) ([]byte, error) {
	defer func() { _ = f.Close() }() // only read from: nothing is lost
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return data, nil
}

// lookPath returns why a program cannot be run.
func (e Env) lookPath(file string) error {
	lookPath := e.LookPath
	if lookPath == nil {
		lookPath = exec.LookPath
	}
	_, err := lookPath(file)
	return err
}

// cause returns what went wrong with a file, without its path, which the message
// has already.
func cause(err error) error {
	if known := (*exec.Error)(nil); errors.As(err, &known) {
		err = known.Err
	}
	if known := (*fs.PathError)(nil); errors.As(err, &known) {
		err = known.Err
	}
	return err
}

// unreadable is the problem of a file that cannot be read.
func unreadable(path string, err error) Problem {
	p := Problem{File: path, Message: fmt.Sprintf("read configuration: %v", cause(err)), err: err}
	if errors.Is(err, fs.ErrNotExist) {
		p.Hint = "write one with: tenterhook init github, or name it with --config FILE or " + EnvConfig
	}
	return p
}
