package cli

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/server"
	"github.com/tenterhook/tenterhook/signature"
)

//go:embed demo.yaml
var demoConfig string

//go:embed demo.sh
var demoProgram string

// The files of a stage. Its data is below, in a directory of its own.
const (
	stageConfig  = "tenterhook.yaml"
	stageProgram = "deploy.sh"
	stageGitHub  = "github.secret"
	stageService = "service.secret"
	stageLog     = "gateway.log"
)

// A stage is what the demo plays on: a gateway, as serve runs it, and a service
// that it delivers to. All of its files are in one directory.
type stage struct {
	dir     string
	text    string // of the configuration
	client  *api.Client
	service *receiver
	github  triggerTarget // GitHub
	forger  triggerTarget // someone who does not know the secret

	gateway *server.Server
	stop    context.CancelFunc
	done    chan error // how the gateway ended
	log     *os.File
	closing func() // of the log
}

// newStage makes the files, starts the service and opens the gateway, which run
// has serve. What the configuration leaves to the environment comes from env.
func newStage(ctx context.Context, env config.Env) (_ *stage, err error) {
	s := &stage{closing: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "tenterhook-demo-"); err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	github, service := rand.Text(), "whsec_"+base64.StdEncoding.EncodeToString([]byte(rand.Text()))
	for name, content := range map[string]string{
		stageGitHub: github, stageService: service, stageProgram: demoProgram,
	} {
		if err := s.write(name, content); err != nil {
			return nil, err
		}
	}
	keys, err := signature.NewKeys(service)
	if err != nil {
		return nil, err
	}
	if s.service, err = newReceiver(ctx, keys); err != nil {
		return nil, err
	}
	if err := s.open(ctx, env); err != nil {
		return nil, err
	}
	if s.client, err = api.NewClient(s.admin(), s.gateway.Token(), nil); err != nil {
		return nil, err
	}
	if s.github, err = s.sender(github); err != nil {
		return nil, err
	}
	s.forger, err = s.sender(rand.Text())
	return s, err
}

func (s *stage) write(name, content string) error {
	const ownerOnly = 0o600
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), ownerOnly); err != nil {
		return fmt.Errorf("write the demo's files: %w", err)
	}
	return nil
}

// configPath is where the configuration file is.
func (s *stage) configPath() string { return filepath.Join(s.dir, stageConfig) }

// data is the gateway's data directory, as the configuration has it.
func (s *stage) data() string { return filepath.Join(s.dir, "data") }

// admin is the URL of the gateway's private listener.
func (s *stage) admin() string { return "http://" + s.gateway.AdminAddr() }

// open writes the configuration, reads it as serve does, and opens the gateway.
// Between the choice of a port and its use another program may take it, so that
// it is tried more than once.
func (s *stage) open(ctx context.Context, env config.Env) error {
	const tries = 5
	var err error
	if s.log, err = os.Create(filepath.Join(s.dir, stageLog)); err != nil {
		return fmt.Errorf("write the demo's files: %w", err)
	}
	for range tries {
		var free []string
		if free, err = freeAddresses(ctx, 2); err != nil {
			return err
		}
		s.text = strings.NewReplacer("{{listen}}", free[0], "{{admin}}", free[1], "{{service}}", s.service.address).
			Replace(demoConfig)
		if err := s.write(stageConfig, s.text); err != nil {
			return err
		}
		err = s.openGateway(ctx, env)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return err
}

func (s *stage) openGateway(ctx context.Context, env config.Env) error {
	load := func() (*config.Config, error) { return config.Load(s.configPath(), env) }
	c, err := load()
	if err != nil {
		return err
	}
	s.closing()
	log, closing := server.NewLogger(s.log, c.Log, false)
	s.closing = closing
	s.gateway, err = server.New(ctx, server.Options{Config: c, Load: load, Logger: log, Version: builtAs().Version})
	return err
}

// run has the gateway serve until the stage is closed or ctx ends. What it
// returns ends with ctx and, earlier, with the gateway, should it fail.
func (s *stage) run(ctx context.Context) context.Context {
	life, end := context.WithCancelCause(ctx)
	running, stop := context.WithCancel(ctx)
	s.stop, s.done = stop, make(chan error, 1)
	go func() {
		err := s.gateway.Run(running)
		if err != nil {
			end(fmt.Errorf("the gateway ended: %w", err))
		}
		end(nil) // if it has not ended
		s.done <- err
	}()
	return life
}

// sender is someone who posts to the gateway's source as GitHub does.
func (s *stage) sender(secret string) (triggerTarget, error) {
	keys, err := signature.NewKeys(secret)
	to := &url.URL{Scheme: "http", Host: s.gateway.Addr(), Path: "/webhook/github"}
	return triggerTarget{
		url: to, address: to.String(), scheme: signature.GitHub, keys: keys, client: egress.New(egress.Options{}),
	}, err
}

// close stops everything and removes the files.
func (s *stage) close() error {
	var errs []error
	switch {
	case s.stop != nil:
		s.stop()
		errs = append(errs, <-s.done)
	case s.gateway != nil:
		errs = append(errs, closeUnused(s.gateway))
	}
	s.closing()
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	if s.service != nil {
		errs = append(errs, s.service.down())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// loopback is any free port of this machine's own address.
func loopback() string {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0).String()
}

// freeAddresses returns n addresses of this machine that nothing listens on.
func freeAddresses(ctx context.Context, n int) (addresses []string, err error) {
	listeners := make([]net.Listener, 0, n) // kept until all are chosen, so that they differ
	defer func() {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
	}()
	var lc net.ListenConfig
	for range n {
		l, err := lc.Listen(ctx, "tcp", loopback())
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		listeners = append(listeners, l)
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
