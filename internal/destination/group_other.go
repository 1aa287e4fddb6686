//go:build unix && !linux

package destination

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a command the leader of a new process group.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// waitGroup waits for cmd, and calls exited when it has ended.
func waitGroup(cmd *exec.Cmd, exited func()) error {
	err := cmd.Wait()
	exited()
	return err //nolint:wrapcheck // the caller looks at the process state instead
}
