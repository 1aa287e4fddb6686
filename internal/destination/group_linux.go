package destination

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes a command the leader of a new process group, and has the kernel
// kill it if the gateway dies: nobody would be there to stop it, and the next
// gateway runs it again.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// waitGroup waits for cmd, and calls exited when it has ended and still holds
// its process id, so that its group can be signalled without hitting another
// that got the same number.
func waitGroup(cmd *exec.Cmd, exited func()) error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break // any other error is one that Wait returns, too
		}
	}
	exited()
	return cmd.Wait() //nolint:wrapcheck // the caller looks at the process state instead
}
