package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Secrets of a configuration that lives for seconds, on loopback.
const (
	githubSecret   = "bench-github-secret"
	standardSecret = "whsec_dGVudGVyaG9vayBiZW5jaCBzZWNyZXQgMzIgYnl0ZXM="
)

// Names in a setup.
const (
	pathGitHub  = "/webhook/github"
	mainRoute   = "main"
	aside       = "aside" // the route to a destination that is down or hangs, and that destination
	eventPush   = "push"
	eventAside  = "issues"
	healthyName = "app"
)

// A setup is a configuration of the gateway.
type setup struct {
	receiver string // HOST:PORT of the destinations that answer
	healthy  int    // how many of them there are, each of which gets every push
	aside    string // HOST:PORT of one more, which gets other events; empty if there is none
	data     string // directory of the store; empty is a new one
}

// write writes the configuration with its secrets into dir and returns its path.
// It is what an engineer would write, on free ports.
func (s setup) write(dir string) (string, error) {
	const ownerOnly = 0o600
	var b strings.Builder
	data := s.data
	if data == "" {
		data = filepath.Join(dir, "data")
	}
	secret := func(name string) string { return strconv.Quote("file:" + filepath.Join(dir, name)) }
	fmt.Fprintf(&b, "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: %s\n", strconv.Quote(data))
	fmt.Fprintf(&b, "sources:\n  github: {provider: github, secret: %s}\n", secret("github.secret"))
	b.WriteString("destinations:\n")
	destination := func(name, url string) {
		fmt.Fprintf(&b, "  %s:\n    url: %s\n    sign: {scheme: standard-webhooks, secret: %s}\n", name, url, secret("app.secret"))
	}
	names := make([]string, s.healthy)
	for i := range names {
		names[i] = healthyName + strconv.Itoa(i)
		destination(names[i], fmt.Sprintf("http://%s/%d", s.receiver, i))
	}
	routes := fmt.Sprintf("routes:\n  - name: %s\n    from: github\n    types: [%s]\n"+
		"    when: .ref == \"refs/heads/main\"\n    to: [%s]\n", mainRoute, eventPush, strings.Join(names, ", "))
	if s.aside != "" {
		destination(aside, "http://"+s.aside+"/0")
		routes += fmt.Sprintf("  - name: %s\n    from: github\n    types: [%s]\n    to: [%[1]s]\n", aside, eventAside)
	}
	b.WriteString(routes)

	path := filepath.Join(dir, "tenterhook.yaml")
	for name, content := range map[string]string{
		"github.secret": githubSecret + "\n", "app.secret": standardSecret + "\n", "tenterhook.yaml": b.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), ownerOnly); err != nil {
			return "", fmt.Errorf("write configuration: %w", err)
		}
	}
	return path, nil
}
