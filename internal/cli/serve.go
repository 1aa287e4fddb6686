package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
)

type serveOptions struct {
	*app

	flags config.Flags
}

func newServe(a *app) *cobra.Command {
	o := serveOptions{app: a}
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway",
		Long: "Run the gateway: receive webhooks on the public listener, keep, route and deliver them, and answer the other\n" +
			"commands on the private one. It runs until SIGINT or SIGTERM, then lets attempts in flight end, for 20 s at\n" +
			"the most. SIGHUP has it read the configuration file again; one with mistakes leaves the old one in force.\n\n" +
			"A flag wins over the environment ($TENTERHOOK_LISTEN, _ADMIN, _DATA, _CONFIG), and that over the file.",
		Example: "tenterhook serve\ntenterhook serve --config /etc/tenterhook.yaml --data /var/lib/tenterhook --listen 0.0.0.0:8000",
		Args:    arguments(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.flags.Data, "data", "", "`DIR` for the database and the admin token (default ./tenterhook-data)")
	cmd.Flags().StringVar(&o.flags.Listen, "listen", "", "`ADDR` of the public listener (default 127.0.0.1:8000)")
	cmd.Flags().StringVar(&o.flags.Admin, "admin", "", "`ADDR` of the private listener (default 127.0.0.1:8001)")
	return exits(cmd, exitConfig)
}

// loadToServe reads the configuration as serve runs it.
func (o *serveOptions) loadToServe() (*config.Config, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	return c, c.Override(o.flags, o.env)
}

func runServe(ctx context.Context, o serveOptions) error {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP) // at once: unless it is caught, it ends the process
	defer signal.Stop(hangUp)
	c, err := o.loadToServe()
	if err != nil {
		return err
	}
	server.Tune(o.env)
	_, isTerminal := terminal(o.ui.err.Writer)
	log, closeLog := server.NewLogger(o.ui.err, c.Log, isTerminal)
	defer closeLog()
	slog.SetLogLoggerLevel(slog.LevelDebug) // what net/http says of receivers that misbehave
	slog.SetDefault(log)
	s, err := server.New(ctx, server.Options{Config: c, Load: o.loadToServe, Logger: log, Version: builtAs().Version})
	if err != nil {
		return serveHint(err)
	}
	o.ui.say("public   http://%s/webhook/NAME", s.Addr())
	o.ui.say("private  http://%s (token in %s)", s.AdminAddr(), server.TokenPath(c.Data))

	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for {
		select {
		case <-hangUp:
			_ = s.Reload(ctx) // nobody waits for the answer; the log says what is wrong
		case err := <-done:
			return err
		}
	}
}

// serveHint adds to an error at start what can be done about it.
func serveHint(err error) error {
	switch {
	case errors.Is(err, server.ErrLocked):
		return withHint(err, "stop the other one, or name another directory with --data DIR")
	case errors.Is(err, syscall.EADDRINUSE):
		return withHint(err, "something else listens there; choose another address with --listen or --admin, or in the file")
	case errors.Is(err, syscall.EACCES):
		return withHint(err, "this user may not: choose another directory with --data DIR, or a port above 1023")
	}
	return err
}
