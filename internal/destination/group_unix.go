//go:build unix

package destination

import "syscall"

// A processGroup is named by the process that leads it.
type processGroup int

// signal sends sig to every process of g.
func (g processGroup) signal(sig syscall.Signal) {
	_ = syscall.Kill(-int(g), sig) // it fails if nobody is left, which is as well
}
