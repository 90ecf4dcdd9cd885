package scenario

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/traffic"
)

// jovianAt is the block that activates Jovian, at a block a second.
const jovianAt = 12

// Accounts that send transactions on L2; the first ones have other duties.
var users = []uint64{3, 4, 5, 6, 7}

// run is one sequencing scenario under way.
type run struct {
	ctx   context.Context
	net   *network.Devnet
	l1    *ethclient.Client
	l2    *ethclient.Client
	users *traffic.Users
}

// TestSequencing has op-node sequence a chain on the engine while users and
// depositors are busy, over a fork, a restart of op-node and a SIGKILL of the
// engine. A second engine then derives the chain, and op-geth imports it.
func TestSequencing(t *testing.T) {
	blocks := blocksWanted(t)
	ctx := within(context.Background(), t, time.Duration(blocks)*3*time.Second+20*time.Minute)
	options := genesis.DefaultOptions()
	options.JovianOffset = jovianAt
	r := start(ctx, t, options)

	r.depositArrives(t)
	r.configurationArrives(t)
	r.jovianActivates(t)
	r.consensusRestarts(t)
	r.engineIsKilled(t)
	r.depositArrives(t)
	r.troubleGoesOn(t, blocks)
	last := r.finish(t, blocks)
	followerAgrees(ctx, t, r.net, last)
	judge := newJudge(ctx, t, r.net)
	judge.importChain(ctx, t, r.l2, last.Number.Uint64())
	if !network.HasOwnRPC() {
		simulatesAlike(ctx, t, r.l2, judge.public, last.Number.Uint64())
	}
}

func start(ctx context.Context, t *testing.T, options genesis.Options) *run {
	t.Helper()
	r := &run{ctx: ctx, net: startDevnet(ctx, t, options)}
	r.l1, r.l2 = dial(ctx, t, r.net.L1.HTTP()), dial(ctx, t, r.net.Engine.HTTP())
	must(t, r.net.StartBatcher(ctx))
	var err error
	r.users, err = traffic.StartUsers(ctx, r.net.Engine.HTTP(), users...)
	must(t, err)
	t.Cleanup(r.users.Stop)
	return r
}

func (r *run) depositArrives(t *testing.T) {
	t.Helper()
	to := common.BigToAddress(big.NewInt(time.Now().UnixNano())) // an account nobody has
	value := big.NewInt(123_456_789)
	hash, err := traffic.Deposit(within(r.ctx, t, slack), r.l1, to, value)
	must(t, err)
	receipt, err := traffic.AwaitReceipt(within(r.ctx, t, slack), r.l2, hash)
	must(t, err)
	if receipt.Status != types.ReceiptStatusSuccessful {
		t.Errorf("deposit %s failed", hash)
	}
	balance, err := r.l2.BalanceAt(r.ctx, to, receipt.BlockNumber)
	must(t, err)
	if balance.Cmp(value) != 0 {
		t.Errorf("balance after a deposit of %d is %d", value, balance)
	}
	t.Logf("deposit in block %d", receipt.BlockNumber)
}

func (r *run) configurationArrives(t *testing.T) {
	t.Helper()
	const gasLimit = 61_000_000
	must(t, traffic.SetOperatorFee(within(r.ctx, t, slack), r.l1, 1_000_000, 5_000))
	must(t, traffic.SetGasLimit(within(r.ctx, t, slack), r.l1, gasLimit))
	must(t, network.Await(within(r.ctx, t, slack), "the new gas limit", func(ctx context.Context) error {
		head, err := r.l2.HeaderByNumber(ctx, nil)
		if err == nil && head.GasLimit != gasLimit {
			err = fmt.Errorf("the limit of block %d is %d", head.Number, head.GasLimit)
		}
		return err
	}, r.net.Processes()...))
}

func (r *run) jovianActivates(t *testing.T) {
	t.Helper()
	awaitHead(r.ctx, t, r.l2, jovianAt+2, r.net.Processes()...)
	const isthmusExtra, jovianExtra = 9, 17
	if got := len(header(r.ctx, t, r.l2, jovianAt-1).Extra); got != isthmusExtra {
		t.Errorf("extra data before Jovian: %d bytes, want %d", got, isthmusExtra)
	}
	if got := len(header(r.ctx, t, r.l2, jovianAt).Extra); got != jovianExtra {
		t.Errorf("extra data of the first Jovian block: %d bytes, want %d", got, jovianExtra)
	}
	block, err := r.l2.BlockByNumber(r.ctx, big.NewInt(jovianAt))
	must(t, err)
	for _, tx := range block.Transactions() {
		if !tx.IsDepositTx() {
			t.Errorf("a user transaction is in the activation block: %s", tx.Hash())
		}
		receipt, err := r.l2.TransactionReceipt(r.ctx, tx.Hash())
		must(t, err)
		if receipt.Status != types.ReceiptStatusSuccessful {
			t.Errorf("upgrade deposit %s failed", tx.Hash())
		}
	}
	t.Logf("Jovian is active, %d user transactions so far", r.users.Mined())
}

func (r *run) consensusRestarts(t *testing.T) {
	t.Helper()
	must(t, r.net.Node.Stop())
	before := header(r.ctx, t, r.l2)
	must(t, r.net.Node.Start(within(r.ctx, t, slack)))
	awaitHead(r.ctx, t, r.l2, before.Number.Uint64()+3, r.net.Processes()...)
	mustHold(r.ctx, t, r.l2, before)
	t.Logf("op-node was restarted at block %d", before.Number)
}

// engineIsKilled is left out for op-geth, which comes back at an older head.
func (r *run) engineIsKilled(t *testing.T) {
	t.Helper()
	if kind, _ := engineUnderTest(t); kind == network.OpGeth {
		return
	}
	before := header(r.ctx, t, r.l2)
	if network.LosesNewestBlocks() {
		must(t, r.net.Engine.Process().Stop(slack))
	} else {
		r.net.Engine.Process().Kill()
	}
	must(t, r.net.Engine.Start(within(r.ctx, t, slack)))
	after := header(r.ctx, t, r.l2)
	if after.Number.Cmp(before.Number) < 0 {
		t.Fatalf("block %d was the head before SIGKILL, block %d is after it", before.Number, after.Number)
	}
	mustHold(r.ctx, t, r.l2, before)
	awaitHead(r.ctx, t, r.l2, before.Number.Uint64()+5, r.net.Processes()...)
	mustHold(r.ctx, t, r.l2, before)
	mustHold(r.ctx, t, r.l2, after)
	t.Logf("the engine was killed at block %d and came back at %d", before.Number, after.Number)
}

// troubleGoesOn repeats kill and restart in turn while a long run grows.
func (r *run) troubleGoesOn(t *testing.T, blocks uint64) {
	t.Helper()
	const every = 12
	trouble := []func(*testing.T){r.engineIsKilled, r.consensusRestarts}
	for turn := 0; ; turn++ {
		next := header(r.ctx, t, r.l2).Number.Uint64() + every
		if next+every > blocks {
			return
		}
		awaitHead(r.ctx, t, r.l2, next, r.net.Processes()...)
		trouble[turn%len(trouble)](t)
	}
}

// finish lets the chain grow to the wanted length and stops sequencing.
func (r *run) finish(t *testing.T, blocks uint64) *types.Header {
	t.Helper()
	awaitHead(r.ctx, t, r.l2, blocks, r.net.Processes()...)
	r.users.Stop()
	head, err := r.net.Node.StopSequencer(within(r.ctx, t, slack))
	must(t, err)
	last := header(r.ctx, t, r.l2)
	if last.Hash() != head {
		t.Fatalf("the engine's head is %s, op-node's is %s", last.Hash(), head)
	}
	t.Logf("block %d, %d user transactions; their latest trouble: %v", last.Number, r.users.Mined(), r.users.LastError())
	if mined := r.users.Mined(); mined < blocks {
		t.Errorf("%d user transactions in %d blocks", mined, blocks)
	}
	return last
}

func hexNumber(number uint64) string { return hexutil.EncodeUint64(number) }
