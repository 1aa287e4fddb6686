package tenterhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A process is a gateway that runs.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has, and its output is written
}

const gatewayLog = "gateway.log"

func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	s := sessionOf(ts)
	if s.gateway != nil {
		ts.Fatalf("there is a gateway already")
	}
	p, public, private := startGateway(ts, args)
	s.gateway = p
	for name, value := range map[string]string{
		"URL": "http://" + public, "ADMIN": "http://" + private, "LISTEN": public,
		// For the program's other commands.
		"TENTERHOOK_LISTEN": public, "TENTERHOOK_ADMIN": private, "TENTERHOOK_DATA": ts.MkAbs("data"),
	} {
		ts.Setenv(name, value)
	}
	ts.Check(poll(context.Background(), func(ctx context.Context) error {
		status, _, err := fetch(ctx, http.MethodGet, "http://"+public+"/readyz", "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("readyz: %d", status)
		}
		return err
	}))
}

// startGateway starts the program and returns where it listens.
func startGateway(ts *testscript.TestScript, args []string) (p *process, public, private string) {
	program, err := lookIn(ts.Getenv("PATH"), "tenterhook")
	ts.Check(err)
	log, err := os.OpenFile(ts.MkAbs(gatewayLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	ts.Check(err)
	read, write, err := os.Pipe()
	ts.Check(err)
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", ts.MkAbs("data"),
	}, args...)
	p = &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stderr = ts.MkAbs("."), write
	p.cmd.Env = environment(ts)
	ts.Check(p.cmd.Start())
	ts.Check(write.Close())
	ts.Defer(p.kill)

	addresses := make(chan string, 2)
	go func() {
		defer close(p.ended)
		defer log.Close()
		copyLog(log, read, addresses)
		_ = p.cmd.Wait() // its state says how it ended
	}()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	next := func() string {
		select {
		case address := <-addresses:
			return address
		case <-p.ended:
			ts.Fatalf("the gateway ended with %v:\n%s", p.cmd.ProcessState, ts.ReadFile(gatewayLog))
		case <-timeout.C:
			ts.Fatalf("the gateway does not say where it listens")
		}
		return ""
	}
	public = next()
	return p, public, next()
}

// copyLog copies what the gateway says, and picks the two addresses out of it.
func copyLog(to io.Writer, from io.ReadCloser, addresses chan<- string) {
	defer from.Close()
	address := regexp.MustCompile(`^(?:public|private) +http://([^/ ]+)`)
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = to.Write(line) // the script misses it
		if found := address.FindSubmatch(line); found != nil {
			addresses <- string(found[1])
		}
		if err != nil {
			return
		}
	}
}

// environment returns what a gateway may see of the script's environment.
func environment(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + ts.Getenv("PATH")}
	for _, name := range []string{
		"HOME", "TMPDIR", "GOCOVERDIR", "GORACE", "GITHUB_WEBHOOK_SECRET", "APP_SECRET", "APP_AUTHORIZATION",
		"ORDERS_SECRET", "SHOP_SECRET", "OTHER_SECRET",
		"META_SECRET", "META_TOKEN", "SLACK_SECRET", "DISCORD_KEY", "TWILIO_SECRET", "ACME_SECRET", "GITLAB_TOKEN",
		"STRIPE_SECRET", "SHOPIFY_SECRET", "QSTASH_SECRET", "LIVEKIT_SECRET", "LIVEKIT_KEY",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// lookIn finds a program in the directories of a PATH.
func lookIn(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// kill ends the process, if it has not.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it fails if it has ended
	<-p.ended
}

func gatewayOf(ts *testscript.TestScript) *process {
	p := sessionOf(ts).gateway
	if p == nil {
		ts.Fatalf("there is no gateway")
	}
	return p
}

func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 1, 1)
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	sig, ok := signals[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(gatewayOf(ts).cmd.Process.Signal(sig))
}

func stoppedCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 0, 1)
	p := gatewayOf(ts)
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-p.ended:
	case <-timeout.C:
		ts.Fatalf("the gateway still runs after %v", patience)
	}
	sessionOf(ts).gateway = nil
	if len(args) > 0 {
		if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[0] {
			ts.Fatalf("the gateway ended with %s:\n%s", p.cmd.ProcessState, ts.ReadFile(gatewayLog))
		}
	}
}

func loggedCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 1, 1)
	wanted := regexp.MustCompile("(?m)" + args[0])
	err := poll(context.Background(), func(context.Context) error {
		log, err := os.ReadFile(ts.MkAbs(gatewayLog))
		if err == nil && !wanted.Match(log) {
			err = errors.New("no such line in the log")
		}
		return err
	})
	if err != nil {
		ts.Fatalf("%v:\n%s", err, ts.ReadFile(gatewayLog))
	}
}

// fetch makes a request with a token, and returns the answer's status and body.
func fetch(ctx context.Context, method, url, token string, body io.Reader) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// ask asks the gateway's API.
func ask(ctx context.Context, ts *testscript.TestScript, method, path string, body io.Reader) (int, string, error) {
	token, err := os.ReadFile(filepath.Join(ts.MkAbs("data"), "admin.token"))
	if err != nil {
		return 0, "", err
	}
	return fetch(ctx, method, ts.Getenv("ADMIN")+"/api/v1"+path, strings.TrimSpace(string(token)), body)
}

func apiCommand(ts *testscript.TestScript, neg bool, args []string) {
	exactly(ts, args, 2, 3)
	var body io.Reader
	if len(args) == 3 {
		body = strings.NewReader(ts.ReadFile(args[2]))
	}
	status, answer, err := ask(context.Background(), ts, args[0], args[1], body)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), answer)
	ts.Check(err)
	if ok := status == http.StatusOK; ok == neg {
		ts.Fatalf("answered %d", status)
	}
}

func untilCommand(ts *testscript.TestScript, neg bool, args []string) {
	exactly(ts, args, 2, 2)
	wanted := regexp.MustCompile(args[0])
	var answer string
	err := poll(context.Background(), func(ctx context.Context) error {
		_, got, err := ask(ctx, ts, http.MethodGet, args[1], nil)
		if err != nil {
			return err
		}
		answer = got
		if wanted.MatchString(answer) == neg {
			return errors.New("the answer is not the one waited for")
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%v: %s", err, answer)
	}
	_, err = io.WriteString(ts.Stdout(), answer)
	ts.Check(err)
}
