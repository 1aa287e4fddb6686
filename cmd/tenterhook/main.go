// Command tenterhook receives, verifies, keeps, routes, delivers, retries,
// replays, audits and tests webhooks. See tenterhook --help.
package main

import (
	"os"

	"github.com/tenterhook/tenterhook/internal/cli"
)

func main() { os.Exit(cli.Main()) }
