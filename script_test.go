package tenterhook_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tenterhook/tenterhook/internal/cli"
)

// The behaviour of the program is tested by the scripts in testdata/script: each
// is a user's session with the real program, `serve` included, against receivers
// that can be told to misbehave. Run one with
//
//	go test -run 'TestScripts/^retry$' .
//
// Besides what testscript brings, a script has the commands of scriptCommands.

// patience bounds every wait of a script. It is never waited for when all is
// well.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tenterhook": func() { os.Exit(cli.Main()) }, //nolint:forbidigo // this is the program's main
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Setup: setUpScript, Cmds: scriptCommands(),
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// The secrets of scripts, in the variables of these names. Neither may ever be
// seen: secrets.txtar looks for them.
const (
	githubSecret = "canary-0123456789-github"
	appSecret    = "whsec_Y2FuYXJ5LWFwcC1zZWNyZXQtMDEyMzQ1Njc4OWFi"
)

// allSecrets are what may be in no file of a gateway: the above, and the secrets
// that scripts set themselves.
func allSecrets() []string {
	return []string{
		githubSecret, appSecret, appSecret[len("whsec_"):], "canary-app-secret", "canary-gitlab-token", "canary-meta-app",
		"canary-verify-token", "canary-twilio-auth-token", "canary-acme-secret", "canary-0123456789-asana",
		"canary-0123456789-somebody", "8f742231b10e8888abcd99yyyzzz85a5",
		"canary-0123456789-stripe", "canary-0123456789-shopify", "canary-0123456789-qstash", "canary-0123456789-livekit",
	}
}

func setUpScript(env *testscript.Env) error {
	env.Setenv("GITHUB_WEBHOOK_SECRET", githubSecret)
	env.Setenv("APP_SECRET", appSecret)
	examples, err := filepath.Abs("examples")
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLES", examples)
	env.Values[sessionKey{}] = &session{receivers: make(map[string]*receiver)}
	return nil
}

// A session is what one script has running.
type session struct {
	gateway   *process
	receivers map[string]*receiver
}

type sessionKey struct{}

func sessionOf(ts *testscript.TestScript) *session {
	s, ok := ts.Value(sessionKey{}).(*session)
	if !ok {
		ts.Fatalf("the script was not set up")
	}
	return s
}

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCommands are the commands that scripts have besides testscript's own.
func scriptCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		// serve [FLAG...] starts the gateway on free ports and waits until it is
		// ready. It sets URL and ADMIN, and what the program's other commands need
		// to find it. Its log is the file gateway.log.
		"serve": serveCommand,
		// signal HUP|TERM|KILL sends the gateway a signal.
		"signal": signalCommand,
		// stopped [CODE] waits until the gateway has ended, with that exit code.
		"stopped": stoppedCommand,
		// logged REGEXP waits until a line of the gateway's log matches.
		"logged": loggedCommand,

		// receiver NAME starts a receiver and sets NAME_URL, in upper case.
		// receiver NAME answer STATUS [N] has it answer so, to the next N requests.
		// receiver NAME hang has it answer nothing until receiver NAME release.
		// receiver NAME down has it cut connections until receiver NAME up.
		"receiver": receiverCommand,
		// received [-only] NAME N waits for N requests, prints a line for each, and
		// writes their bodies and headers to NAME.1.body, NAME.1.header, ...
		"received": receivedCommand,
		// [!] verified NAME N SCHEME VARIABLE checks the signature of the N-th request.
		"verified": verifiedCommand,

		// [!] post [-github EVENT] [-id ID] [-secret VARIABLE] [-H HEADER]... [-chunked] URL [FILE]
		// posts a file and prints status and answer; it fails unless that is 2xx.
		// -github signs it as GitHub does.
		"post": postCommand,
		// [!] request [-X METHOD] [-sign PROVIDER -key VARIABLE [-as URL]] [-H HEADER]... URL [FILE]
		// makes any request, signed as a provider signs it, and prints status, headers and
		// body. With -as, the URL that is signed is another than the one it is sent to.
		"request": requestCommand,
		// get URL [TOKEN] prints status and answer, whatever they are.
		"get": getCommand,
		// [!] api METHOD PATH [FILE] prints the answer of the API, as it is.
		"api": apiCommand,
		// [!] until REGEXP PATH asks the API until its answer matches, or no longer does.
		"until": untilCommand,

		// sign VARIABLE SECRET-VARIABLE FILE sets VARIABLE to the HMAC-SHA256, in hex.
		"sign": signCommand,
		// expand FILE... replaces @VARIABLE@ in files.
		"expand": expandCommand,
		// match VARIABLE REGEXP sets VARIABLE to the first group in the last output.
		"match": matchCommand,
		// fill FILE SIZE writes a file of that many bytes.
		"fill": fillCommand,
		// sum FILE prints how many bytes a file has, and their sha256.
		"sum": sumCommand,
		// [!] nosecrets FILE... fails if a secret is in one of the files, or below a directory.
		"nosecrets": noSecretsCommand,
	}
}

// poll calls ok until it returns nil, and returns its last error when patience
// is over.
func poll(ctx context.Context, ok func(context.Context) error) error {
	const between = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	var last error
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // what is cut off by the end says nothing
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, last)
		case <-ticker.C:
		}
	}
}

func noNegation(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
}

// exactly fails unless there are least to most arguments.
func exactly(ts *testscript.TestScript, args []string, least, most int) {
	if len(args) < least || len(args) > most {
		ts.Fatalf("%d arguments, %d to %d are wanted", len(args), least, most)
	}
}

func expandCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	variable := regexp.MustCompile(`@[A-Z_]+@`)
	for _, name := range args {
		text := variable.ReplaceAllStringFunc(ts.ReadFile(name), func(v string) string {
			value := ts.Getenv(v[1 : len(v)-1])
			if value == "" {
				ts.Fatalf("%s is not set", v)
			}
			return value
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

func matchCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 2, 2)
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no match in the last output")
	}
	ts.Setenv(args[0], found[1])
}

func fillCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 2, 2)
	var size int
	_, err := fmt.Sscan(args[1], &size)
	ts.Check(err)
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i ^ i>>8)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o644))
}

func sumCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 1, 1)
	body := []byte(ts.ReadFile(args[0]))
	_, err := fmt.Fprintf(ts.Stdout(), "%d %s\n", len(body), sum(body))
	ts.Check(err)
}

var errSecret = errors.New("a secret is in it")

func noSecretsCommand(ts *testscript.TestScript, neg bool, args []string) {
	searched := 0
	find := func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		for _, secret := range allSecrets() {
			if regexp.MustCompile(regexp.QuoteMeta(secret)).Match(content) {
				return fmt.Errorf("%s: %w", path, errSecret)
			}
		}
		return nil
	}
	for _, name := range args {
		err := filepath.Walk(ts.MkAbs(name), find)
		switch {
		case neg && !errors.Is(err, errSecret):
			ts.Fatalf("no secret in %s, where one is to be found", name)
		case !neg:
			ts.Check(err)
		}
	}
	ts.Logf("searched %d files", searched)
}
