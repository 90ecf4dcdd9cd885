package scenario

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/process"
	"blockwright.test/devnet/programs"
)

// checkAccount sends the transactions of the checks.
const checkAccount = 3

// karstCheck is one run of check-karst.
type karstCheck struct {
	process *process.Process
	logFile string
}

// startCheck starts one command of check-karst against the L2 at url.
func startCheck(ctx context.Context, t *testing.T, url, command string, more ...string) karstCheck {
	t.Helper()
	program, err := programs.BuildCheckKarst(ctx)
	must(t, err)
	check := karstCheck{logFile: filepath.Join(t.TempDir(), command+".log")}
	args := append([]string{command, "--l2", url, "--account", keyHex(t, checkAccount)}, more...)
	check.process, err = process.Start(process.Spec{
		Name: "check-karst " + command, Program: program, Args: args, LogFile: check.logFile,
	})
	must(t, err)
	t.Cleanup(check.process.Kill)
	return check
}

// mustPass waits for the end of the check and returns what it printed.
func (c karstCheck) mustPass(ctx context.Context, t *testing.T, needed ...*process.Process) string {
	t.Helper()
	must(t, network.Await(ctx, c.process.Name(), func(context.Context) error {
		if c.process.Ended() == nil {
			return fmt.Errorf("it runs, and has printed:\n%s", c.output(t))
		}
		return nil
	}, needed...))
	if !c.process.Succeeded() {
		t.Fatal(c.process.Ended())
	}
	return c.output(t)
}

func (c karstCheck) output(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(c.logFile)
	must(t, err)
	return string(text)
}

// mustNameGasCap looks at the reason for which the node refused the
// transaction above the gas cap: the check itself takes any error for it.
func mustNameGasCap(t *testing.T, output string) {
	t.Helper()
	const gasCap = "16777216"
	for _, line := range strings.Split(output, "\n") {
		if strings.Contains(line, "high-gas tx rejected") {
			if !strings.Contains(line, gasCap) {
				t.Errorf("the refusal does not name the gas cap %s: %s", gasCap, line)
			}
			return
		}
	}
	t.Errorf("no refused transaction in:\n%s", output)
}

func keyHex(t *testing.T, account uint64) string {
	t.Helper()
	key, err := genesis.Key(account)
	must(t, err)
	return "0x" + hex.EncodeToString(crypto.FromECDSA(key))
}
