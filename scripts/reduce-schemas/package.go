package main

import "github.com/tenterhook/tenterhook/scripts/npm"

// source is the description of GitHub Enterprise Cloud: that of github.com, word for word, and
// 21 webhooks more.
func source() npm.Member {
	return npm.Member{
		Package:   "@octokit/openapi-webhooks",
		Version:   "12.1.0",
		Integrity: "sha512-Z5eDsLCUNbx1zHpZb1LNQirADqdMTvWJQ/deahi0ws+tWWnwHXB+Pr4jfmM9OrETS9Y5iW8ZRu1fdbudObhLrg==",
		Path:      "package/generated/ghec.json",
	}
}
