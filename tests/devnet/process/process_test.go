package process

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Spec{
		Name: "script", Program: "/bin/sh", Args: []string{"-c", script}, LogFile: filepath.Join(t.TempDir(), "log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheEndIsReportedWithTheLastOutput(t *testing.T) {
	p := shell(t, "echo the reason >&2; exit 3")
	<-p.Done()
	err := p.Ended()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("the end is reported as: %v", err)
	}
	if p.Succeeded() {
		t.Error("status 3 counts as success")
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p := shell(t, "trap '' TERM; echo deaf; while :; do sleep 0.1; done")
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.logTail(), "\ndeaf"); {
		if p.Ended() != nil || time.Now().After(deadline) {
			t.Fatalf("the script does not run: %v", p.Ended())
		}
		time.Sleep(10 * time.Millisecond) // polls a file
	}
	if err := p.Stop(300 * time.Millisecond); err == nil {
		t.Error("a process that ignores SIGTERM is said to have stopped")
	}
	if p.Ended() == nil {
		t.Error("the process still runs")
	}
}

func TestStopLetsAProcessEnd(t *testing.T) {
	p := shell(t, "exec sleep 60")
	if err := p.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}
