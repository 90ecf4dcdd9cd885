package scenario

import (
	"context"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/process"
	"blockwright.test/devnet/traffic"
)

// TestKarstRules checks the rules of `blockwright dev` that a chain without an L1 can show.
func TestKarstRules(t *testing.T) {
	program := blockwrightProgram(t)
	ctx := within(context.Background(), t, 15*time.Minute)
	folder := t.TempDir()
	file := filepath.Join(folder, "endpoints.json")
	node, err := process.Start(process.Spec{
		Name: "blockwright dev", Program: program, LogFile: filepath.Join(folder, "dev.log"),
		Args: []string{
			"dev", "--block-time", "1s", "--http.port", "0", "--ws.port", "0", "--authrpc.port", "0",
			"--flashblocks.port", "0", "--metrics.port", "0", "--builder-api.port", "0", "--builder-api.events-port", "0",
			"--endpoints", file, "--json",
		},
	})
	must(t, err)
	t.Cleanup(func() {
		if err := node.Stop(slack); err != nil {
			t.Error(err)
		}
	})
	var endpoints network.Endpoints
	must(t, network.Await(within(ctx, t, slack), "blockwright dev", func(context.Context) error {
		return network.ReadEndpoints(file, &endpoints)
	}, node))
	for _, command := range []string{
		"eip-7823", "eip-7883", "eip-7951", "karst-bn256-pair", "eip-7939", "eip-7825",
	} {
		t.Run(command, func(t *testing.T) {
			check := startCheck(ctx, t, endpoints.HTTP, command)
			output := check.mustPass(within(ctx, t, 2*slack), t, node)
			if command == "eip-7825" {
				mustNameGasCap(t, output)
			}
		})
	}
}

// A chain on which Karst activates in flight; times in seconds.
const (
	karstBlockTime = 4 // leaves time to fill a block
	karstJovianAt  = 1 * karstBlockTime
	karstAt        = 2 * karstBlockTime
)

// TestKarstDevnet has op-node activate Karst on the engine and runs all checks,
// a deposit above the gas cap and a block above 8 MiB among them. A second
// engine then derives this chain.
func TestKarstDevnet(t *testing.T) {
	if kind, _ := engineUnderTest(t); kind == network.OpGeth {
		t.Skip("op-geth keeps Jovian's rules in Karst")
	}
	ctx := within(context.Background(), t, 20*time.Minute)
	options := genesis.DefaultOptions()
	options.BlockTimeSeconds, options.JovianOffset, options.KarstOffset = karstBlockTime, karstJovianAt, karstAt
	options.GasLimit = 500_000_000 // room for the large block
	d := startDevnet(ctx, t, options)
	must(t, d.StartBatcher(ctx))
	l2 := dial(ctx, t, d.Engine.HTTP())
	awaitHead(ctx, t, l2, karstAt/karstBlockTime+1, d.Processes()...)
	karstActivated(ctx, t, d)

	check := startCheck(ctx, t, d.Engine.HTTP(), "all",
		"--l1", d.L1.HTTP(), "--l1-account", keyHex(t, genesis.Depositor), "--portal", genesis.PortalAddress.Hex())
	needed := append(d.Processes(), check.process)
	must(t, network.Await(within(ctx, t, 3*slack), "the last check", func(context.Context) error {
		if !strings.Contains(check.output(t), "EIP-7934: checking L2 block") {
			return fmt.Errorf("not reached in:\n%s", check.output(t))
		}
		return nil
	}, needed...))
	freezeLargeBlock(ctx, t, d)
	mustNameGasCap(t, check.mustPass(within(ctx, t, slack), t, d.Processes()...))
	followerAgrees(ctx, t, d, header(ctx, t, l2))
}

// karstActivated looks at the activation block: all its upgrade deposits succeed.
func karstActivated(ctx context.Context, t *testing.T, d *network.Devnet) {
	t.Helper()
	l2 := dial(ctx, t, d.Engine.HTTP())
	block, err := l2.BlockByNumber(ctx, big.NewInt(karstAt/karstBlockTime))
	must(t, err)
	const upgradeDeposits = 31
	if got := len(block.Transactions()); got < 1+upgradeDeposits {
		t.Errorf("the activation block has %d transactions, want %d upgrade deposits beside the L1 attributes", got, upgradeDeposits)
	}
	for _, tx := range block.Transactions() {
		receipt, err := l2.TransactionReceipt(ctx, tx.Hash())
		must(t, err)
		if receipt.Status != types.ReceiptStatusSuccessful {
			t.Errorf("deposit %s of the activation block failed", tx.Hash())
		}
	}
}

// freezeLargeBlock makes a block above 8 MiB the head and stops sequencing on it.
func freezeLargeBlock(ctx context.Context, t *testing.T, d *network.Devnet) {
	t.Helper()
	const attempts = 5
	l2 := dial(ctx, t, d.Engine.HTTP())
	for range attempts {
		// Between two blocks, sequencing is paused until all are in the pool. A
		// later start would make op-node catch up and leave no time to build.
		awaitHead(ctx, t, l2, header(ctx, t, l2).Number.Uint64()+1, d.Processes()...)
		head, err := d.Node.StopSequencer(within(ctx, t, slack))
		must(t, err)
		sent, err := traffic.SendLarge(within(ctx, t, slack), l2, params.MaxBlockSize, users...)
		must(t, err)
		must(t, d.Node.StartSequencer(within(ctx, t, slack), head))
		for _, hash := range sent {
			_, err := traffic.AwaitReceipt(within(ctx, t, slack), l2, hash)
			must(t, err)
		}
		head, err = d.Node.StopSequencer(within(ctx, t, slack))
		must(t, err)
		block, err := l2.BlockByHash(ctx, head)
		must(t, err)
		t.Logf("the head is block %d with %d transactions, %d bytes", block.Number(), len(block.Transactions()), block.Size())
		if transactionBytes(t, block) > params.MaxBlockSize {
			return
		}
		must(t, d.Node.StartSequencer(within(ctx, t, slack), head))
	}
	t.Fatalf("no block above %d bytes became and stayed the head", params.MaxBlockSize)
}

func transactionBytes(t *testing.T, block *types.Block) int {
	t.Helper()
	total := 0
	for _, tx := range block.Transactions() {
		encoded, err := tx.MarshalBinary()
		must(t, err)
		total += len(encoded)
	}
	return total
}
