package cli

import (
	"github.com/spf13/cobra"
)

func newRoute(a *app) *cobra.Command {
	return group(a, "route", "Try routes", []*cobra.Command{newRouteTest(a)})
}
