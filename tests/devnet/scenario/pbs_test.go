package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/programs"
	"blockwright.test/devnet/traffic"
	"blockwright.test/devnet/wiretap"
)

// pbsNodeEnv names the executable of an op-node with the builder API; `make pbs` needs it.
const pbsNodeEnv = "PBS_OP_NODE_BIN"

// pbsStart is how many seconds the parts have to start before the chain begins.
const pbsStart = 20

// pbsForks are the forks of a chain, in their order.
type pbsForks struct {
	names   []string
	offsets []int64 // seconds after genesis, growing
}

// pbsRun is a chain that a proposer makes with blocks of ours.
type pbsRun struct {
	ctx    context.Context
	net    *network.PBS
	l2     *ethclient.Client
	forks  pbsForks
	began  uint64 // genesis time
	blocks uint64
}

// answered is an exchange with what the proposer made of it.
type answered struct {
	wiretap.Exchange
	network.PBSVerdict
	slot uint64
	fork string // of the block asked for
}

// TestPBS lets a proposer ask the builder for each block: an op-node with the
// builder API on an op-geth of its own, which never sees a user's transaction.
// Another such op-node brings the builder the blocks, and the attributes by its stream.
func TestPBS(t *testing.T) {
	third := int64(pbsBlocks(t) / 3)
	r := startPBSRun(t, genesis.EarlyOptions{Ecotone: third, Fjord: 2 * third}, pbsForks{
		[]string{"canyon", "ecotone", "fjord"}, []int64{0, third, 2 * third},
	}, false)
	r.grows(t, 3, 4)
	for _, one := range r.settled(t) {
		if !one.Inserted {
			t.Errorf("block %d (%s): %s", one.slot, one.fork, one.Reason)
		}
	}
	r.report(t)
	r.record(t, "canyon-to-fjord")
}

// TestPBSBeforeCanyon is the same where the op-node's builder API is of no use:
// it gives every payload a list of withdrawals, which no execution client takes
// before Canyon, and its stream breaks. The builder follows that of the
// proposer's own execution client, a Blockwright. The chain goes on without the
// builder's blocks, and with them from Canyon's first block on.
func TestPBSBeforeCanyon(t *testing.T) {
	third := int64(pbsBlocks(t) / 3)
	r := startPBSRun(t, genesis.EarlyOptions{Regolith: third, Canyon: 2 * third, Ecotone: -1, Fjord: -1}, pbsForks{
		[]string{"bedrock", "regolith", "canyon"}, []int64{0, third, 2 * third},
	}, true)
	r.grows(t, 3)
	for _, one := range r.settled(t) {
		switch {
		case one.fork == "canyon" && !one.Inserted:
			t.Errorf("block %d (%s): %s", one.slot, one.fork, one.Reason)
		case one.fork != "canyon" && (one.Hash == "" || !strings.Contains(one.Reason, "withdrawals")):
			t.Errorf("block %d (%s): taken %v, %s", one.slot, one.fork, one.Inserted, one.Reason)
		}
	}
	r.report(t)
	r.record(t, "bedrock-to-canyon")
}

func pbsBlocks(t *testing.T) uint64 {
	t.Helper()
	return interopNumber(t, "PBS_BLOCKS", 60, 45)
}

func startPBSRun(t *testing.T, options genesis.EarlyOptions, forks pbsForks, local bool) *pbsRun {
	t.Helper()
	node := os.Getenv(pbsNodeEnv)
	if node == "" {
		t.Skipf("%s is not set; `make pbs` runs this", pbsNodeEnv)
	}
	r := &pbsRun{blocks: pbsBlocks(t), forks: forks}
	r.ctx = within(context.Background(), t, time.Duration(r.blocks)*time.Second+10*time.Minute)
	built, err := programs.Build(r.ctx)
	must(t, err)
	folder, err := os.MkdirTemp("", "devnet-pbs-")
	must(t, err)
	options.BlockTimeSeconds, options.StartSeconds, options.GasLimit = 1, pbsStart, 30_000_000
	r.net, err = network.StartPBS(r.ctx, network.PBSConfig{
		Folder: folder, Programs: built, OpNode: node, BuilderProgram: blockwrightProgram(t),
		Genesis: options, LocalAttributes: local,
	})
	t.Cleanup(func() {
		if err := r.net.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if t.Failed() {
			t.Logf("configuration, data and logs are in %s", folder)
			return
		}
		must(t, os.RemoveAll(folder))
	})
	must(t, err)
	r.l2 = dial(r.ctx, t, r.net.Local.HTTP())
	r.began = header(r.ctx, t, r.l2, 0).Time
	return r
}

// grows lets accounts' transactions flow to the builder alone until the chain is long enough.
func (r *pbsRun) grows(t *testing.T, accounts ...uint64) {
	t.Helper()
	clock := startHeadClock(r.ctx, r.l2)
	defer clock.stop()
	flow, err := traffic.StartFlow(r.ctx, r.net.Builder.HTTP(), 500*time.Millisecond, accounts...)
	must(t, err)
	defer flow.Stop()
	awaitHead(r.ctx, t, r.l2, r.blocks, r.net.Processes()...)
	late := clock.latest()
	t.Logf("the latest block, %d, was the head %s after its timestamp", late.number, late.lag)
	if late.lag > time.Second {
		t.Error("a block was missed")
	}
}

// answered pairs what was on the wire with what the proposer says.
func (r *pbsRun) answered(t *testing.T) []answered {
	t.Helper()
	verdicts, err := r.net.Proposer.Verdicts()
	must(t, err)
	exchanges, err := r.net.Requests.Exchanges()
	must(t, err)
	if len(exchanges) < len(verdicts) {
		t.Fatalf("%d exchanges, and the proposer tells of %d", len(exchanges), len(verdicts))
	}
	var all []answered
	for index, verdict := range verdicts {
		one := answered{Exchange: exchanges[index], PBSVerdict: verdict}
		_, body, _ := strings.Cut(one.Request, "\r\n\r\n")
		var request struct{ Message struct{ Slot string } }
		must(t, json.Unmarshal([]byte(body), &request))
		if _, err := fmt.Sscanf(request.Message.Slot, "0x%x", &one.slot); err != nil {
			t.Fatalf("slot of %s: %v", body, err)
		}
		if !strings.Contains(one.Answer, verdict.Hash) {
			t.Fatalf("block %d: the proposer says it got %s, which was not answered", one.slot, verdict.Hash)
		}
		one.fork = r.forks.at(one.slot)
		all = append(all, one)
	}
	return all
}

// settled are the exchanges from when the chain goes with the clock. Before, a
// block is asked for as soon as it is begun, and the builder may not know of it yet.
func (r *pbsRun) settled(t *testing.T) []answered {
	t.Helper()
	all := r.answered(t)
	for index, one := range all {
		if one.AskedAt.Before(time.Unix(int64(r.began+one.slot), 0)) && one.slot > 1 {
			if one.slot > settling {
				t.Errorf("the chain ran after the clock until block %d", one.slot)
			}
			return all[index+1:]
		}
	}
	t.Fatal("the chain never went with the clock")
	return nil
}

// at is the fork of a block of a chain with a block a second.
func (f pbsForks) at(number uint64) string {
	name := ""
	for index, offset := range f.offsets {
		if int64(number) >= offset {
			name = f.names[index]
		}
	}
	return name
}

// report compares with the chain and prints what there was of each fork.
func (r *pbsRun) report(t *testing.T) {
	t.Helper()
	type account struct{ asked, answered, inserted, users int }
	accounts := make(map[string]*account)
	for _, name := range r.forks.names {
		accounts[name] = &account{}
	}
	for _, one := range r.answered(t) {
		a := accounts[one.fork]
		a.asked++
		if one.Status == 200 {
			a.answered++
		}
		if !one.Inserted {
			continue
		}
		a.inserted++
		block, err := r.l2.BlockByNumber(r.ctx, new(big.Int).SetUint64(one.slot))
		must(t, err)
		if block.Hash().Hex() != one.Hash {
			t.Errorf("block %d is %s, the proposer took %s", one.slot, block.Hash(), one.Hash)
		}
		for _, tx := range block.Transactions() {
			if tx.Type() != types.DepositTxType {
				a.users++
			}
		}
	}
	for _, name := range r.forks.names {
		a := accounts[name]
		t.Logf("%s: %d blocks asked for, %d answered, %d taken, with %d transactions of users",
			name, a.asked, a.answered, a.inserted, a.users)
	}
	if last := accounts[r.forks.names[len(r.forks.names)-1]]; last.users == 0 {
		t.Error("no user's transaction is in the chain: only the builder had them")
	}
}
