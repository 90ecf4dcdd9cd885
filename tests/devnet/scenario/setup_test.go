package scenario

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/programs"
)

// programEnv names the environment variable for the executable under test.
const programEnv = "BLOCKWRIGHT_BIN"

// engineUnderTest reads from the environment what to test: Blockwright, or
// with DEVNET_ENGINE=op-geth the harness itself.
func engineUnderTest(t *testing.T) (network.EngineKind, string) {
	t.Helper()
	if os.Getenv("DEVNET_ENGINE") == string(network.OpGeth) {
		return network.OpGeth, ""
	}
	return network.Blockwright, blockwrightProgram(t)
}

func blockwrightProgram(t *testing.T) string {
	t.Helper()
	program := os.Getenv(programEnv)
	switch {
	case program != "":
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not set", programEnv)
	default:
		t.Skipf("%s is not set", programEnv)
	}
	return program
}

// blocksWanted is the length of the sequencing scenario.
func blocksWanted(t *testing.T) uint64 {
	t.Helper()
	const short, least = 36, 36
	text := os.Getenv("DEVNET_BLOCKS")
	if text == "" {
		return short
	}
	blocks, err := strconv.ParseUint(text, 10, 32)
	if err != nil || blocks < least {
		t.Fatalf("DEVNET_BLOCKS: %q is not a number from %d on", text, least)
	}
	return blocks
}

// startDevnet builds the programs and starts a chain that is stopped with the test.
// Its folder is kept when the test fails.
func startDevnet(ctx context.Context, t *testing.T, options genesis.Options) *network.Devnet {
	t.Helper()
	kind, program := engineUnderTest(t)
	built, err := programs.Build(ctx)
	must(t, err)
	return startNetwork(ctx, t, network.Config{
		Programs: built, Engine: kind, EngineProgram: program, Genesis: options,
	})
}

// startNetwork runs what config says, in a folder of its own.
func startNetwork(ctx context.Context, t *testing.T, config network.Config) *network.Devnet {
	t.Helper()
	folder, err := os.MkdirTemp("", "devnet-")
	must(t, err)
	config.Folder = folder
	d, err := network.Start(ctx, config)
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if t.Failed() {
			t.Logf("configuration, data and logs are in %s", folder)
			return
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	must(t, err)
	return d
}

func dial(ctx context.Context, t *testing.T, url string) *ethclient.Client {
	t.Helper()
	client, err := ethclient.DialContext(ctx, url)
	must(t, err)
	t.Cleanup(client.Close)
	return client
}

// within bounds one wait of a test.
func within(ctx context.Context, t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	bounded, cancel := context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	return bounded
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
