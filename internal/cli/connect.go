package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
)

const (
	envToken = "TENTERHOOK_TOKEN"
	maxToken = 4 << 10
)

// serverOptions say which server a command talks to. Empty fields are found out.
type serverOptions struct {
	url       string
	tokenFile string // never the token itself: other users can read command lines
	data      string
}

// flags adds the flags that choose a server to cmd and the commands below it.
func (o *serverOptions) flags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.url, "server", "",
		"`URL` of the server (default the admin address of the configuration, or http://"+config.DefaultAdmin+")")
	flags.StringVar(&o.tokenFile, "token-file", "",
		"`FILE` that holds the token (default $"+envToken+" or DATA/"+server.TokenFile+")")
	flags.StringVar(&o.data, "data", "",
		"the server's data `DIR`, where its token is (default ./"+config.DefaultData+")")
}

// connect returns a client of the server that o means.
func (a *app) connect(o serverOptions) (*api.Client, error) {
	admin, data, err := a.whereabouts(o)
	if err != nil {
		return nil, err
	}
	url := cmp.Or(o.url, "http://"+dialable(admin))
	token, err := a.token(o, url, data)
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(url, token, nil)
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	return client, nil
}

// whereabouts returns the private listener's address and the data directory:
// flags over environment over file, as for serve.
func (a *app) whereabouts(o serverOptions) (admin, data string, err error) {
	c := &config.Config{Listen: config.DefaultListen, Admin: config.DefaultAdmin, Data: config.DefaultData}
	loaded, err := a.loadWithoutSecrets()
	switch {
	case err == nil:
		c = loaded
	case a.config != "":
		return "", "", err
	case !errors.Is(err, fs.ErrNotExist):
		a.ui.say("%s has mistakes (see tenterhook check); looking for the server at %s", a.env.File(a.config), c.Admin)
	}
	if err := c.Override(config.Flags{Data: o.data}, a.env); err != nil {
		return "", "", err
	}
	return c.Admin, c.Data, nil
}

// token returns what to show the server. The token that lies in the data
// directory is only shown to a server on this machine: it is that server's.
func (a *app) token(o serverOptions, url, data string) (string, error) {
	if o.tokenFile != "" {
		return readToken(o.tokenFile)
	}
	if token := a.env.Getenv(envToken); token != "" {
		return token, nil
	}
	if !onThisMachine(url) {
		return "", usageError("name a file that holds its token with --token-file, or set "+envToken,
			"no token for %s, which is on another machine", url)
	}
	path := server.TokenPath(data)
	token, err := readToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &failure{
			exit: exitUnreachable, err: fmt.Errorf("no token at %q: has a server been started with this data directory?", path),
			hint: "start one with tenterhook serve, or name its directory with --data DIR",
		}
	}
	return token, err
}

// onThisMachine reports whether a server's URL names a loopback address.
func onThisMachine(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from: nothing is lost
	content, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", fmt.Errorf("read token: %q is empty", path)
	}
	return token, nil
}

// load reads the configuration file with all that it refers to.
func (a *app) load() (*config.Config, error) {
	return config.Load(a.env.File(a.config), a.env)
}

// standIn is taken for every secret where none is needed.
const standIn = "whsec_c3RhbmQtaW4sIG5vdCBhIHNlY3JldCBhdCBhbGwh"

// loadWithoutSecrets reads the configuration file for what it says of sources,
// routes and addresses. It works where the secrets are not, such as in the shell
// of someone who looks at a server that runs as another user.
func (a *app) loadWithoutSecrets() (*config.Config, error) {
	path := a.env.File(a.config)
	content, err := os.ReadFile(path)
	if err != nil {
		return config.Load(path, a.env) // says what is wrong, and what to do
	}
	return config.Parse(path, content, a.withoutSecrets())
}

// withoutSecrets is an environment in which something stands in for every secret.
func (a *app) withoutSecrets() config.Env {
	return config.Env{
		LookupEnv: func(string) (string, bool) { return standIn, true },
		ReadFile:  func(string) ([]byte, error) { return []byte(standIn), nil },
		LookPath:  func(file string) (string, error) { return file, nil },

		WithoutSecrets: true,
	}
}
