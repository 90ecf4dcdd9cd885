//go:build unix && !linux

package process

import "syscall"

// attributes puts a child into its own process group, so that Ctrl-C reaches only the parent.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
