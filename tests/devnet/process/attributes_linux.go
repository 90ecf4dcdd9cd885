package process

import "syscall"

// attributes puts a child into its own process group, so that Ctrl-C reaches
// only the parent, and has the kernel kill it should the parent die.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
