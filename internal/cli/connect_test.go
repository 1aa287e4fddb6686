package cli

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/server"
)

// TestConnect says where a command looks for the server and its token.
func TestConnect(t *testing.T) {
	t.Parallel()
	address, _ := newServer(t, nil)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	token := server.TokenPath(data)
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := writeConfig(t, "admin: "+u.Host+"\ndata: "+data+routesConfig)
	_, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	everywhere := writeConfig(t, "admin: 0.0.0.0:"+port+routesConfig)
	broken := writeConfig(t, "admin: 1\n  - nonsense")
	none := filepath.Join(t.TempDir(), "none.yaml")

	tests := map[string]struct {
		env  []string
		args []string
		code exit
		want string
	}{
		"configuration":            {nil, []string{"--config", file}, exitDone, ""},
		"configuration by env":     {[]string{"TENTERHOOK_CONFIG=" + file}, nil, exitDone, ""},
		"listens on all addresses": {nil, []string{"--config", everywhere, "--data", data}, exitDone, ""},
		"address by env":           {[]string{"TENTERHOOK_CONFIG=" + none, "TENTERHOOK_ADMIN=" + u.Host, "TENTERHOOK_DATA=" + data}, nil, exitDone, ""},
		"token by env":             {[]string{"TENTERHOOK_CONFIG=" + none, "TENTERHOOK_TOKEN=secret"}, []string{"--server", address}, exitDone, ""},
		"token by file":            {[]string{"TENTERHOOK_CONFIG=" + none}, []string{"--server", address, "--token-file", token}, exitDone, ""},
		"file with mistakes":       {[]string{"TENTERHOOK_CONFIG=" + broken}, []string{"--server", address, "--data", data}, exitDone, "has mistakes"},
		"named file with mistakes": {nil, []string{"--config", broken, "--server", address, "--data", data}, exitConfig, ""},
		"no server ran here":       {nil, []string{"--server", address, "--data", t.TempDir()}, exitUnreachable, "tenterhook serve"},
		"token of this machine":    {nil, []string{"--server", "http://192.0.2.1:8001", "--data", data}, exitUsage, "--token-file"},
		"not a URL":                {nil, []string{"--server", "localhost:8001", "--token-file", token}, exitUsage, "is not a URL"},
		"nobody there":             {nil, []string{"--server", "http://127.0.0.1:1", "--data", data}, exitUnreachable, "hint: is it running?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := command(t, "", test.env, append([]string{"events", "list"}, test.args...)...)
			if r.code != test.code || !strings.Contains(r.errors, test.want) {
				t.Errorf("%+v, want exit %d and %q", r, test.code, test.want)
			}
			if strings.Contains(r.out+r.errors, "secret") {
				t.Errorf("the token is shown: %+v", r)
			}
		})
	}
}
