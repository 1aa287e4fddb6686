package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
)

// sayKept says how to look at what is kept.
func (d *demo) sayKept() error {
	if err := d.ui.heading("It stays until Ctrl-C. In another terminal:"); err != nil {
		return err
	}
	self, flags := program(), d.flags()
	type line struct{ what, command string }
	lines := []line{{"what came in", "events list"}}
	if s := d.find("push to main"); s != nil {
		lines = append(lines, line{"all about the first: headers, body, attempts", "events show " + s.event.ID.String()})
	}
	if s := d.find("push to fix-typo"); s != nil {
		lines = append(lines, line{"why no route took the push to fix-typo", "events explain " + s.event.ID.String()})
	}
	if s := d.find(demoMissed()[0].title()); s != nil && len(s.event.Deliveries) > 0 {
		lines = append(lines, line{"a delivery that was retried", "deliveries show " + s.event.Deliveries[0].ID.String()})
	}
	if s := d.find(demoReplayed); s != nil {
		lines = append(lines, line{"send an event again", "events replay " + s.event.ID.String()})
	}
	lines = append(lines, line{"watch what comes", "events tail"},
		line{"what could break a promise on this machine", "doctor"})
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "# %s\n%s %s%s\n", l.what, self, l.command, flags)
	}
	fmt.Fprintf(&b, "# one more push, signed as GitHub signs\n"+
		"%s trigger github push --source github --set ref=refs/heads/main --config %s\n", self, quoted(d.stage.configPath()))
	fmt.Fprintf(&b, "# the gateway's log\ntail %s", quoted(filepath.Join(d.stage.dir, stageLog)))
	return d.ui.block(b.String(), "  ")
}

// flags are what leads other commands to the gateway of the demo, whatever the
// environment says of another one.
func (d *demo) flags() string {
	flags := " --config " + quoted(d.stage.configPath())
	for _, name := range []string{config.EnvAdmin, config.EnvData, envToken} {
		if d.env.Getenv(name) != "" {
			return flags + " --server " + d.stage.admin() + " --token-file " + quoted(server.TokenPath(d.stage.data()))
		}
	}
	return flags
}
