package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
)

// A patient is a machine with nothing wrong, before a test changes it.
type patient struct {
	config  string // of the file; empty means no file
	env     map[string]string
	dir     string // of the data
	machine machine
	now     time.Time
	running bool           // a server
	ready   int            // its answer to /readyz
	answers map[string]any // its answers, by path below the prefix of the API
	args    serverOptions
}

const patientConfig = `
sources:
  hub: {provider: github, secret: env:HUB}
destinations:
  app: {url: "https://example.com/", sign: none}
routes:
  - {from: hub, to: [app]}
`

// noon is what the clocks of patients and of their servers say.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func newPatient(t *testing.T) *patient {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(server.TokenPath(dir), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &patient{
		config: patientConfig, env: map[string]string{"HUB": triggerSecret}, dir: dir, now: noon(), running: true, ready: http.StatusOK,
		machine: machine{
			disk:  func(string) (disk, error) { return disk{kind: "ext4", free: 50 << 30, total: 100 << 30}, nil },
			files: func() (uint64, error) { return 65536, nil },
			sync:  func(context.Context, string) (time.Duration, error) { return 300 * time.Microsecond, nil },
			store: func(context.Context, string) (string, error) { return "3.54.1", nil },
		},
		answers: map[string]any{
			"/version":      api.Version{Version: builtAs().Version},
			"/stats":        api.Stats{Destinations: []api.Load{}},
			"/destinations": api.List[api.Destination]{Items: []api.Destination{{Name: "app"}}},
			"/sources":      api.List[api.Source]{Items: []api.Source{{Name: "hub"}}},
			"/rejections":   api.List[api.Rejection]{Items: []api.Rejection{}},
			"/events":       api.Page[api.Event]{Items: []api.Event{}},
		},
	}
}

// serve starts the patient's server and returns its address, or one where
// nothing listens.
func (p *patient) serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", noon().Format(http.TimeFormat))
		answer, known := p.answers[strings.TrimPrefix(r.URL.Path, api.Prefix)]
		switch {
		case r.URL.Path == "/readyz":
			w.WriteHeader(p.ready)
		case !known || r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(api.Problem{Status: http.StatusUnauthorized, Code: api.CodeUnauthorized, Detail: "no"})
		default:
			_ = json.NewEncoder(w).Encode(answer) // the client is a test
		}
	}))
	t.Cleanup(s.Close)
	if !p.running {
		s.Close()
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// examined runs the doctor on p, as text or as JSON.
func (p *patient) examined(t *testing.T, asJSON bool) (out string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "none.yaml")
	admin := p.serve(t)
	if p.config != "" {
		path = writeConfig(t, p.config)
	}
	for name, value := range map[string]string{config.EnvAdmin: admin, config.EnvData: p.dir} {
		if p.env[name] == "" {
			p.env[name] = value
		}
	}
	lookup := func(name string) (string, bool) { value, set := p.env[name]; return value, set }
	var stdout, stderr bytes.Buffer
	u := newUI(strings.NewReader(""), &stdout, &stderr, true)
	u.json, u.now = asJSON, func() time.Time { return p.now }
	err = runDoctor(t.Context(), doctorOptions{
		app: &app{ui: u, env: config.Env{LookupEnv: lookup}, config: path}, server: p.args, machine: p.machine,
	})
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
	return stdout.String(), err
}

func TestDoctorOfHealthyMachine(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	out, err := p.examined(t, false)
	if err != nil || strings.Contains(out, "fix:") || !strings.HasSuffix(out, "\nno problem, no warning, 16 ok\n") {
		t.Errorf("error %v\n%s", err, out)
	}
	for _, c := range checks() {
		if !strings.Contains(out, "\nok       "+c.name+" ") && !strings.HasPrefix(out, "ok       "+c.name+" ") {
			t.Errorf("%q is not told:\n%s", c.name, out)
		}
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("it left %q, %v", left, err)
	}
}

// TestDoctorFinds breaks one thing at a time.
func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	diskOf := func(kind string, free uint64) func(*patient) {
		return func(p *patient) {
			p.machine.disk = func(string) (disk, error) { return disk{kind: kind, free: free, total: 100 << 30}, nil }
		}
	}
	syncIn := func(took time.Duration, err error) func(*patient) {
		return func(p *patient) {
			p.machine.sync = func(context.Context, string) (time.Duration, error) { return took, err }
		}
	}
	storeFails := func(err error) func(*patient) {
		return func(p *patient) { p.machine.store = func(context.Context, string) (string, error) { return "", err } }
	}
	filesOf := func(n uint64, err error) func(*patient) {
		return func(p *patient) { p.machine.files = func() (uint64, error) { return n, err } }
	}
	configOf := func(old, replacement string) func(*patient) {
		return func(p *patient) { p.config = strings.Replace(p.config, old, replacement, 1) }
	}
	modeOf := func(name string, mode os.FileMode) func(*patient) {
		return func(p *patient) {
			if err := os.Chmod(filepath.Join(p.dir, name), mode); err != nil {
				t.Error(err)
			}
		}
	}
	without := func(name string) func(*patient) {
		return func(p *patient) {
			if err := os.RemoveAll(filepath.Join(p.dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
	down := func(p *patient) { p.running = false }
	load := func(l api.Load) func(*patient) {
		return func(p *patient) { p.answers["/stats"] = api.Stats{Destinations: []api.Load{l}} }
	}
	atTime := func(at time.Time) func(*patient) { return func(p *patient) { p.now = at } }
	ago := func(d time.Duration) api.Time { return api.Time{Time: noon().Add(-d)} }
	source := func(s api.Source) func(*patient) {
		return func(p *patient) { p.answers["/sources"] = api.List[api.Source]{Items: []api.Source{s}} }
	}
	rejected := func(at api.Time) func(*patient) {
		return func(p *patient) {
			p.answers["/rejections"] = api.List[api.Rejection]{Items: []api.Rejection{
				{Source: "hub", At: at, Status: http.StatusUnauthorized, Reason: "signature_mismatch", Detail: "made with another secret" + hostile},
			}}
		}
	}
	tests := map[string]struct {
		change func(*patient)
		check  string
		status health
		want   string // in message or fix
	}{
		"no configuration":     {func(p *patient) { p.config = "" }, "configuration", unhealthy, "tenterhook init github"},
		"mistake":              {configOf("provider: github", "provider: nobody"), "configuration", unhealthy, "tenterhook.yaml:3:"},
		"no source":            {func(p *patient) { p.config = "log: {level: info}\n" }, "configuration", doubtful, "no source"},
		"literal secret":       {configOf("env:HUB", "insecure-literal:abcdefghijklmnopqrstuvwxyz"), "configuration", doubtful, "the secret itself is in this file"},
		"no signature":         {configOf("provider: github, secret: env:HUB", "provider: none"), "configuration", doubtful, "anyone who can reach"},
		"weak secret":          {func(p *patient) { p.env["HUB"] = "short" }, "configuration", doubtful, "may be guessed"},
		"secret not set":       {func(p *patient) { delete(p.env, "HUB") }, "secrets", unhealthy, `"HUB" is not set`},
		"secret of wrong form": {configOf("sign: none", "sign: {secret: env:HUB}"), "secrets", unhealthy, "cannot be used with standard-webhooks"},
		"public listener":      {configOf("\nsources", "\nlisten: 0.0.0.0:8000\nsources"), "listeners", doubtful, "without TLS"},
		"any public listener":  {configOf("\nsources", "\nlisten: \":8000\"\nsources"), "listeners", doubtful, "without TLS"},
		"private listener":     {func(p *patient) { p.env[config.EnvAdmin] = "0.0.0.0:8001" }, "listeners", doubtful, "the private one"},
		"body limit":           {configOf("secret: env:HUB", "secret: env:HUB, max_body: 1MiB"), "body limit", doubtful, `"hub" takes 1.0 MiB`},
		"data for others":      {modeOf(".", 0o750), "data directory", unhealthy, "chmod 700 "},
		"data to be made":      {func(p *patient) { p.dir = filepath.Join(p.dir, "new", "data") }, "data directory", healthy, "is made at the first start"},
		"data is a file":       {func(p *patient) { p.dir = server.TokenPath(p.dir) }, "data directory", unhealthy, "not a directory"},
		"token for others":     {modeOf(server.TokenFile, 0o640), "token", unhealthy, "chmod 600 "},
		"token empty":          {func(p *patient) { _ = os.Truncate(server.TokenPath(p.dir), 0) }, "token", unhealthy, "is empty"},
		"token to be made":     {without(server.TokenFile), "token", healthy, "is made at the first start"},
		"in memory":            {diskOf("tmpfs", 50<<30), "file system", doubtful, "a restart of the machine loses every event"},
		"over the network":     {diskOf("nfs", 50<<30), "file system", doubtful, "nfs may not keep locks"},
		"in a container":       {diskOf("overlay", 50<<30), "file system", doubtful, "mount a volume"},
		"no file system": {func(p *patient) {
			p.machine.disk = func(string) (disk, error) { return disk{}, errors.New("not there") }
		}, "file system", unhealthy, "not there"},
		"little space":         {diskOf("ext4", 500<<20), "free space", doubtful, "500.0 MiB of 100.0 GiB"},
		"no space":             {diskOf("ext4", 5<<20), "free space", unhealthy, "events are refused"},
		"incredible disk":      {syncIn(5*time.Microsecond, nil), "disk sync", doubtful, "may lie"},
		"slow disk":            {syncIn(80*time.Millisecond, nil), "disk sync", doubtful, "80ms, which every sender waits for"},
		"failing disk":         {syncIn(0, errors.New("input/output error")), "disk sync", unhealthy, "input/output error"},
		"not durable":          {storeFails(errors.New("refusing to start: synchronous is 1")), "store", unhealthy, "synchronous is 1"},
		"some open files":      {filesOf(512, nil), "open files", doubtful, "LimitNOFILE"},
		"few open files":       {filesOf(64, nil), "open files", unhealthy, "64 may be open"},
		"open files unknown":   {filesOf(0, errors.New("no")), "open files", doubtful, "no"},
		"clock of 1970":        {atTime(time.Unix(3600, 0)), "clock", unhealthy, "1970-01-01 01:00:00"},
		"clocks differ":        {atTime(noon().Add(31 * time.Second)), "clock", doubtful, "by 30s"},
		"clocks differ much":   {atTime(noon().Add(-time.Hour)), "clock", unhealthy, "by 59m"},
		"clock without server": {down, "clock", healthy, "2026-03-01 12:00:00 UTC"},
		"server down":          {down, "server", doubtful, "nothing is received"},
		"server never up":      {func(p *patient) { down(p); without(server.TokenFile)(p) }, "server", healthy, "none has run"},
		"named server down":    {func(p *patient) { down(p); p.args.url = "http://127.0.0.1:1/" }, "server", unhealthy, "at http://127.0.0.1:1:"},
		"not ready":            {func(p *patient) { p.ready = http.StatusServiceUnavailable }, "server", unhealthy, "does not take events"},
		"something else":       {func(p *patient) { p.ready = http.StatusNotFound }, "server", unhealthy, "something else than Tenterhook"},
		"server without token": {without(server.TokenFile), "server", doubtful, "no token at"},
		"another token":        {func(p *patient) { p.env[envToken] = "other" }, "server", unhealthy, "not to this token: no"},
		"another version":      {func(p *patient) { p.answers["/version"] = api.Version{Version: "v9.9.9"} }, "server", doubtful, "is version v9.9.9"},
		"waiting":              {load(api.Load{Destination: "app", Pending: 1, OldestDue: ago(time.Minute)}), "waiting", healthy, "1 delivery waits"},
		"waiting for nobody":   {load(api.Load{Destination: "old one", Pending: 3}), "waiting", unhealthy, "--destination 'old one'"},
		"waiting for long":     {load(api.Load{Destination: "app", Pending: 3, OldestDue: ago(3 * time.Hour)}), "waiting", doubtful, "due since 3h"},
		"dead":                 {load(api.Load{Destination: "app", Dead: 2}), "dead", doubtful, "2 deliveries were given up: 2 to app"},
		"stats refused":        {func(p *patient) { delete(p.answers, "/stats") }, "dead", unhealthy, "no"},
		"all refused":          {rejected(ago(time.Minute)), "sources", doubtful, "1m ago, for signature_mismatch: made with another secret"},
		"secret to come": {source(api.Source{Name: "asana", Provider: "asana", AwaitsSecret: true}), "sources", doubtful,
			"create the webhook at the provider now"},
		"not confirmed": {source(api.Source{Name: "alarms", Confirmation: &api.Confirmation{Host: "sns.example", Error: "answered 403"}}),
			"sources", doubtful, `the subscription of "alarms" was not confirmed: answered 403`},
		"refused long ago": {rejected(ago(48 * time.Hour)), "sources", healthy, "none refuses"},
		"refused, and accepted": {func(p *patient) {
			rejected(ago(time.Minute))(p)
			p.answers["/events"] = api.Page[api.Event]{Items: []api.Event{{ID: evt, ReceivedAt: ago(time.Hour)}}}
		}, "sources", healthy, "none refuses"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			test.change(p)
			out, err := p.examined(t, true)
			checkSafe(t, out)
			var d diagnosis
			if err := json.Unmarshal([]byte(out), &d); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			found := slices.ContainsFunc(d.Findings, func(f finding) bool {
				return f.Check == test.check && f.Status == test.status && strings.Contains(f.Message+"\n"+f.Fix, test.want)
			})
			if !found {
				t.Errorf("no %s of %q with %q:\n%s", test.status, test.check, test.want, out)
			}
			if failed := err != nil; failed == d.OK || d.OK == (d.Problems > 0) || test.status == unhealthy && d.OK {
				t.Errorf("ends with %v, %+v", err, d)
			}
			if err != nil && reportOf(err).Exit != exitFailed {
				t.Errorf("exits with %d", reportOf(err).Exit)
			}
		})
	}
}

// TestDoctorOfThisMachine looks at the real one. What is found depends on it; that
// it can be looked at does not.
func TestDoctorOfThisMachine(t *testing.T) {
	t.Parallel()
	m, dir := thisMachine(), t.TempDir()
	if d, err := m.disk(dir); err != nil || d.free == 0 || d.total < d.free {
		t.Errorf("disk: %+v, %v", d, err)
	}
	if n, err := m.files(); err != nil || n == 0 {
		t.Errorf("open files: %d, %v", n, err)
	}
	if took, err := m.sync(t.Context(), dir); err != nil || took <= 0 {
		t.Errorf("sync: %v, %v", took, err)
	}
	if version, err := m.store(t.Context(), dir); err != nil || !strings.HasPrefix(version, "3.") {
		t.Errorf("store: %q, %v", version, err)
	}
	if _, err := m.disk(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there has a disk")
	}
}

// TestDoctorCommand runs it as a user does.
func TestDoctorCommand(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, "admin: 127.0.0.1:1\ndata: data\n"+patientConfig)
	r := command(t, "", []string{"HUB=" + triggerSecret}, "doctor", "--config", path)
	if r.code != exitDone || !strings.Contains(r.out, "SQLite 3.") || r.errors != "" {
		t.Errorf("%+v", r)
	}
	if r := command(t, "", nil, "doctor", "--config", path); r.code != exitFailed || !strings.Contains(r.out, "\n1 problem, ") {
		t.Errorf("without the secret: %+v", r)
	}
}
