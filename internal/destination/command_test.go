//go:build unix

package destination

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

func newCommand(t *testing.T, c CommandConfig) *Command {
	t.Helper()
	command, err := NewCommand("deploy", c)
	if err != nil {
		t.Fatal(err)
	}
	return command
}

// shell returns a command that has sh run script, with args as $0, $1, ...
func shell(t *testing.T, script string, args ...string) *Command {
	t.Helper()
	return newCommand(t, CommandConfig{
		Argv: append([]string{"sh", "-c", script}, args...), Timeout: 30 * time.Second, Grace: 50 * time.Millisecond,
	})
}

// A witness is a pipe that a process writes "up" to and then holds open, so that
// a test sees it come and go.
type witness struct {
	path string
	file *os.File
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	path := filepath.Join(t.TempDir(), "witness")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := file.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &witness{path, file}
}

// gone waits until no process has the pipe open any more.
func (w *witness) gone(t *testing.T) {
	t.Helper()
	said, err := io.ReadAll(w.file)
	if err != nil || string(said) != "up\n" {
		t.Errorf("a process is left: read %q, %v", said, err)
	}
}

func TestCommandSeesTheEvent(t *testing.T) {
	t.Setenv("TENTERHOOK_TEST_SECRET", "not for commands")
	c := newCommand(t, CommandConfig{
		Argv: []string{"sh", "-c", `env | grep -v -e ^_= -e ^PWD= -e ^SHLVL= | sort; cat`}, Home: "/home/hook",
	})
	e := testEvent("\x00\xff{}\r\n")
	e.Type, e.Tenant = "pull_request.opened", "acme"
	d := testDelivery(e)
	d.Attempts = 2
	a := c.Deliver(t.Context(), e, d)
	want := strings.Join([]string{
		"HOME=/home/hook",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"TENTERHOOK_ATTEMPT=3",
		"TENTERHOOK_DELIVERY_ID=" + d.ID.String(),
		"TENTERHOOK_EVENT_ID=" + e.ID.String(),
		"TENTERHOOK_EVENT_TYPE=pull_request.opened",
		"TENTERHOOK_PROVIDER_DELIVERY_ID=72d3162e",
		"TENTERHOOK_RECEIVED_AT=2026-11-23T15:04:05.678901Z",
		"TENTERHOOK_ROUTE=main",
		"TENTERHOOK_SOURCE=github",
		"TENTERHOOK_TENANT=acme",
	}, "\n") + "\n\x00\xff{}\r\n"
	if a.Outcome != tenterhook.OutcomeSuccess || a.Status != 0 || a.Error != "" || string(a.Response) != want {
		t.Errorf("attempt: %s %d %q\n%s\nwant\n%s", a.Outcome, a.Status, a.Error, a.Response, want)
	}
}

// Whatever an event or the operator's arguments hold, it arrives as it is.
func TestCommandTakesNothingAsCode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"; id", "$(id)", "`id`", "a\nb", "| cat /etc/passwd", "&& id", "-oProxyCommand=id", "--help",
		"'\"\\", "${PATH}", "*", "%s%n", "\x1b[2J", "\xff\xfe", "PATH=/tmp", strings.Repeat("x", 100<<10),
	} {
		c := newCommand(t, CommandConfig{
			Argv: []string{"sh", "-c", `printf '%s\n' "$1" "$TENTERHOOK_EVENT_TYPE" "$TENTERHOOK_SOURCE"`, "sh", text},
		})
		e := testEvent("")
		e.Type, e.Source = text, text
		want := strings.Repeat(text+"\n", 3)
		want = want[:min(len(want), maxOutput)]
		if a := deliver(t, c, e); a.Outcome != tenterhook.OutcomeSuccess || string(a.Response) != want {
			t.Errorf("%.40q: %s %q %.200q", text, a.Outcome, a.Error, a.Response)
		}
	}
}

func TestCommandRefuses(t *testing.T) {
	t.Parallel()
	c := shell(t, "echo must not run")
	for name, change := range map[string]func(*tenterhook.Event){
		"NUL in the type":      func(e *tenterhook.Event) { e.Type = "push\x00" },
		"NUL in the id":        func(e *tenterhook.Event) { e.DeliveryID = "\x00" },
		"a type of a megabyte": func(e *tenterhook.Event) { e.Type = strings.Repeat("x", 1<<20) },
	} {
		e := testEvent("{}")
		change(e)
		if a := deliver(t, c, e); a.Outcome != tenterhook.OutcomeRefused || a.Response != nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestCommandEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"ok.sh": "#!/bin/sh\necho fine", "noshebang": "\x01\x02", "plain.txt": "x",
	} {
		mode := os.FileMode(0o755)
		if name == "plain.txt" {
			mode = 0o644
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	const notThere = "could not be started: no such file or directory"
	argv := func(words ...string) CommandConfig { return CommandConfig{Argv: words, Dir: dir} }
	fine := func(output string) tenterhook.Attempt {
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess, Response: []byte(output)}
	}
	again := func(problem string) tenterhook.Attempt {
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: problem}
	}
	exit3 := again("exit code 3")
	exit3.Status, exit3.Response = 3, []byte("out\nerr\n")
	tests := map[string]struct {
		config CommandConfig
		want   tenterhook.Attempt
	}{
		"exit 0":           {argv("true"), fine("")},
		"exit 3":           {argv("sh", "-c", "echo out; echo err >&2; exit 3"), exit3},
		"relative to dir":  {argv("./ok.sh"), fine("fine\n")},
		"in PATH":          {CommandConfig{Argv: []string{"ok.sh"}, Path: "relative:" + dir}, fine("fine\n")},
		"by a signal":      {argv("sh", "-c", "kill -9 $$"), again("ended by signal: killed")},
		"leaves its input": {argv("sh", "-c", "exec <&-; echo no thanks"), fine("no thanks\n")},
		"not in PATH":      {argv("nonesuch"), again(`command "nonesuch" not found in PATH`)},
		"only in .": {
			CommandConfig{Argv: []string{"ok.sh"}, Dir: dir, Path: ".:" + filepath.Base(dir)},
			again(`command "ok.sh" not found in PATH`),
		},
		"not there":    {argv("./nonesuch"), again(`command "./nonesuch" ` + notThere)},
		"no directory": {CommandConfig{Argv: []string{"true"}, Dir: dir + "/no"}, again(`command "true" ` + notThere)},
		"no program":   {argv("./noshebang"), again(`command "./noshebang" could not be started: exec format error`)},
		"may not run":  {argv("./plain.txt"), again(`command "./plain.txt" could not be started: permission denied`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := deliver(t, newCommand(t, test.config), testEvent(strings.Repeat("x", 1<<20)))
			if a.Outcome != test.want.Outcome || a.Status != test.want.Status || a.Error != test.want.Error ||
				!bytes.Equal(a.Response, test.want.Response) {
				t.Errorf("attempt: %+v, want %+v", a, test.want)
			}
		})
	}
}

func TestCommandOutputIsBounded(t *testing.T) {
	t.Parallel()
	a := deliver(t, shell(t, "echo first; head -c 10000000 /dev/zero; echo last >&2"), testEvent(""))
	if a.Outcome != tenterhook.OutcomeSuccess || len(a.Response) != 64<<10 ||
		!bytes.HasPrefix(a.Response, []byte("first\n\x00")) {
		t.Errorf("%s %q, %d bytes", a.Outcome, a.Error, len(a.Response))
	}
}

// At the time-out everything ends that the command started: also what it put
// into the background, and what does not listen to SIGTERM.
func TestCommandTimeout(t *testing.T) {
	t.Parallel()
	const background = `(echo up; exec sleep 1000) >"$0" & `
	for name, script := range map[string]string{
		"waits":           background + `echo begun; wait`,
		"ignores SIGTERM": `trap "" TERM; ` + background + `echo begun; while :; do sleep 1000; done`,
		"says good bye":   `trap "echo bye; exit 0" TERM; ` + background + `echo begun; wait`,
		"does not read":   background + `echo begun; exec sleep 1000`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWitness(t)
			c := newCommand(t, CommandConfig{
				Argv: []string{"sh", "-c", script, w.path}, Timeout: 2 * time.Second, Grace: 100 * time.Millisecond,
			})
			a := deliver(t, c, testEvent(strings.Repeat("x", 1<<20)))
			if a.Outcome != tenterhook.OutcomeRetry || a.Error != "not done within 2s, stopped" || a.Status != 0 ||
				!bytes.HasPrefix(a.Response, []byte("begun\n")) {
				t.Errorf("attempt: %+v", a)
			}
			if name == "says good bye" && !bytes.HasSuffix(a.Response, []byte("bye\n")) {
				t.Errorf("was not asked to stop: %q", a.Response)
			}
			w.gone(t)
		})
	}
}

// What a command leaves behind when it ends neither delays the attempt nor
// stays.
func TestCommandLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	c := shell(t, `mkfifo "$0.2"
		(echo up >&3; echo >"$0.2"; exec sleep 1000) 3>"$0" &
		read x <"$0.2" # it runs
		echo done`, w.path)
	a := deliver(t, c, testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeSuccess || string(a.Response) != "done\n" {
		t.Errorf("attempt: %+v", a)
	}
	w.gone(t)
}

// A process that left the group and holds the output open is not waited for.
func TestCommandOutputHeldOpen(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip(err)
	}
	w := newWitness(t)
	began := time.Now()
	a := deliver(t, shell(t, `setsid sh -c 'echo up >&3; sleep 8' 3>"$0" & echo done`, w.path), testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeSuccess || string(a.Response) != "done\n" || time.Since(began) > 6*time.Second {
		t.Errorf("attempt: %+v after %v", a, time.Since(began))
	}
}

func TestCommandShutdown(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_, _ = io.ReadFull(w.file, make([]byte, 1)) // it runs
		cancel(errors.New("stopping"))
	}()
	e := testEvent("{}")
	c := shell(t, `exec 3>"$0"; echo up >&3; sleep 1000`, w.path)
	for range 2 { // under way, and not begun
		a := c.Deliver(ctx, e, testDelivery(e))
		if a.Outcome != tenterhook.OutcomeRetry || a.Error != "interrupted by shutdown" {
			t.Errorf("attempt: %+v", a)
		}
	}
}

func TestCommandConfig(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config CommandConfig
		want   string
	}{
		"nothing":      {CommandConfig{}, "names no program"},
		"empty":        {CommandConfig{Argv: []string{"", "a"}}, "names no program"},
		"NUL":          {CommandConfig{Argv: []string{"echo", "a\x00b"}}, "NUL"},
		"NUL in dir":   {CommandConfig{Argv: []string{"echo"}, Dir: "\x00"}, "NUL"},
		"timeout":      {CommandConfig{Argv: []string{"echo"}, Timeout: -1}, "timeout"},
		"grace":        {CommandConfig{Argv: []string{"echo"}, Grace: -1}, "grace"},
		"many at once": {CommandConfig{Timeout: -1, Grace: -1}, "timeout"},
	} {
		if _, err := NewCommand("deploy", test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	c := newCommand(t, CommandConfig{Argv: []string{"echo"}})
	if c.Name() != "deploy" || c.config.Timeout != time.Minute || c.config.Grace != 5*time.Second {
		t.Errorf("%+v", c.config)
	}
}
