// Package process runs the programs of a devnet as children: their output goes
// to files, their end is an event, and they die with their parent.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	// Name is for messages.
	Name string
	// Program is the path of the executable.
	Program string
	// Args are its arguments.
	Args []string
	// LogFile receives stdout and stderr; it is appended to.
	LogFile string
}

// Process is a running, or ended, child.
type Process struct {
	spec   Spec
	pid    int
	done   chan struct{}
	result error // why it ended; valid once done is closed
}

// Start runs spec.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("%s: log file: %w", spec.Name, err)
	}
	fmt.Fprintf(log, "# %s %s\n", spec.Program, strings.Join(spec.Args, " "))
	command := exec.Command(spec.Program, spec.Args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = attributes()

	p := &Process{spec: spec, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ends the child with the thread that started it, so the
		// thread has to stay until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := command.Start()
		started <- err
		if err != nil {
			return
		}
		p.result = command.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: start %s: %w", spec.Name, spec.Program, err)
	}
	p.pid = command.Process.Pid
	return p, nil
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.pid }

// Name returns the name given in the Spec.
func (p *Process) Name() string { return p.spec.Name }

// Done is closed once the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended returns nil while the process runs, and else an error that says how
// it ended and what it wrote last.
func (p *Process) Ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%v), %s ends with:\n%s", p.spec.Name, p.result, p.spec.LogFile, p.logTail())
	default:
		return nil
	}
}

// Succeeded says whether the process has ended with status 0.
func (p *Process) Succeeded() bool {
	select {
	case <-p.done:
		return p.result == nil
	default:
		return false
	}
}

// Kill ends the process by SIGKILL and waits for its end.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Freeze keeps the process from doing anything until Thaw.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

// Stop asks the process to end and waits; after patience it is killed, which
// is reported as an error.
func (p *Process) Stop(patience time.Duration) error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.spec.Name, patience)
	}
}

// signal does nothing once the process has been waited for: its id may be another's by then.
func (p *Process) signal(signal syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(p.pid, signal)
	}
}

func (p *Process) logTail() string {
	const lines = 15
	text, err := os.ReadFile(p.spec.LogFile)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
