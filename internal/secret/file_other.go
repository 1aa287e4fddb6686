//go:build !unix

package secret

import "io/fs"

// exposed reports false: permissions are not in the file's mode here.
func exposed(string, fs.FileInfo) bool { return false }
