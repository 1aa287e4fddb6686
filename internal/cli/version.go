package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionOptions struct{ *app }

func newVersion(a *app) *cobra.Command {
	o := versionOptions{app: a}
	return exits(&cobra.Command{
		Use: "version", Short: "Print the version of this program",
		Example: "tenterhook version --json",
		Args:    arguments(0, 0),
		RunE:    func(*cobra.Command, []string) error { return runVersion(o) },
	})
}

// versionInfo is what is known about how this program was built.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func runVersion(o versionOptions) error {
	v := builtAs()
	if o.ui.json {
		return o.ui.data(v)
	}
	return o.ui.line(text("tenterhook %s (%s, %s)", v.Version, v.Go, v.Platform))
}

// builtAs reads what the Go toolchain stamped on the program.
func builtAs() versionInfo {
	v := versionInfo{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
