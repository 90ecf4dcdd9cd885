package scenario

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/programs"
	"blockwright.test/devnet/traffic"
)

// proposerEnv names the executable of the example proposer.
const proposerEnv = "PROPOSER_BIN"

// calm is how many blocks in a row have to be the builder's before the next trouble.
const calm = 2

// builderUsers send to the builder alone, so that its blocks are the better ones.
var builderUsers = []uint64{3, 4, 5, 6, 7}

// proposerRun is a chain whose sequencer asks a builder for every block.
type proposerRun struct {
	ctx     context.Context
	net     *network.Devnet
	side    *network.BuilderSide
	l2      *ethclient.Client // the sequencer's engine
	clock   *headClock
	flow    *traffic.Flow
	first   uint64            // the first block of the builder, where the account begins
	trouble map[uint64]string // by number of the block
}

// trouble is what can go wrong with a builder while a block is built.
type trouble struct {
	name string
	// reason is why the block is not the builder's.
	reason string
	// begins makes it happen.
	begins func(*proposerRun)
	// ends is called once the block is decided on.
	ends func(*proposerRun, *testing.T)
}

// troubles are made one after the other, each in a block of its own.
func troubles() []trouble {
	release, stop := func() {}, func() {}
	builder := func(r *proposerRun) network.Engine { return r.side.Builder }
	return []trouble{
		{
			"late", "too_late",
			func(r *proposerRun) { release = r.side.Wire.Hold() },
			func(*proposerRun, *testing.T) { release() },
		},
		{
			"lying", "invalid",
			func(r *proposerRun) { stop = r.side.Lie() },
			func(*proposerRun, *testing.T) { stop() },
		},
		{
			"frozen", "too_late",
			func(r *proposerRun) { builder(r).Process().Freeze() },
			func(r *proposerRun, _ *testing.T) { builder(r).Process().Thaw() },
		},
		{
			"killed", "unreachable",
			func(r *proposerRun) { builder(r).Process().Kill() },
			func(r *proposerRun, t *testing.T) {
				r.flow.Stop() // what it had sent died with the builder
				must(t, builder(r).Start(within(r.ctx, t, slack)))
				r.usersSend(t)
			},
		},
	}
}

// TestProposer has op-node sequence on op-geth through a proposer that is
// written with the client library.
func TestProposer(t *testing.T) {
	program := blockwrightProgram(t)
	proposer := os.Getenv(proposerEnv)
	if proposer == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set", proposerEnv)
		}
		t.Skipf("%s is not set", proposerEnv)
	}
	r := startProposerRun(t, network.Config{
		Engine:  network.OpGeth,
		Builder: &network.BuilderConfig{Program: program, ProposerProgram: proposer},
	})
	r.goesOn(t)
}

// TestProposersEngine has op-node sequence on Blockwright, which asks the builder
// by itself. op-geth judges all blocks afterwards.
func TestProposersEngine(t *testing.T) {
	program := blockwrightProgram(t)
	r := startProposerRun(t, network.Config{
		Engine: network.Blockwright, EngineProgram: program,
		Builder: &network.BuilderConfig{Program: program},
	})
	last := r.goesOn(t)
	newJudge(r.ctx, t, r.net).importChain(r.ctx, t, r.l2, last)
}

// proposerBlocks is how many blocks are looked at.
func proposerBlocks(t *testing.T) uint64 {
	t.Helper()
	const short = 14
	text := os.Getenv("PROPOSER_BLOCKS")
	if text == "" {
		return short
	}
	blocks, err := strconv.ParseUint(text, 10, 32)
	if err != nil || blocks < short {
		t.Fatalf("PROPOSER_BLOCKS: %q is not a number from %d on", text, short)
	}
	return blocks
}

func startProposerRun(t *testing.T, config network.Config) *proposerRun {
	t.Helper()
	limit := time.Duration(proposerBlocks(t))*3*time.Second + 10*time.Minute
	ctx := within(context.Background(), t, limit)
	built, err := programs.Build(ctx)
	must(t, err)
	config.Programs, config.Genesis = built, genesis.DefaultOptions()
	config.Genesis.JovianOffset = 0
	r := &proposerRun{ctx: ctx, net: startNetwork(ctx, t, config), trouble: make(map[uint64]string)}
	r.side = r.net.BuilderSide
	// Whatever fails, it must be able to end.
	t.Cleanup(func() { r.side.Builder.Process().Thaw() })
	r.l2 = dial(ctx, t, r.net.Engine.HTTP())
	r.usersSend(t)
	t.Cleanup(func() { r.flow.Stop() })
	r.clock = startHeadClock(ctx, r.l2)
	t.Cleanup(r.clock.stop)
	return r
}

// usersSend lets transactions flow to the builder.
func (r *proposerRun) usersSend(t *testing.T) {
	t.Helper()
	var err error
	r.flow, err = traffic.StartFlow(r.ctx, r.side.Builder.HTTP(), flowInterval, builderUsers...)
	must(t, err)
}

// goesOn makes trouble for the builder and lets it come back, over and over,
// and judges the chain. It returns the number of the last block.
func (r *proposerRun) goesOn(t *testing.T) uint64 {
	t.Helper()
	blocks := proposerBlocks(t)
	r.first = r.buildersInARow(t, r.caughtUp(t))
	r.clock.forget()
	all := troubles()
	for turn := 0; ; turn++ {
		head := r.strikes(t, all[turn%len(all)])
		if head = r.buildersInARow(t, head); head+1 >= r.first+blocks {
			break
		}
	}
	r.flow.Stop()
	_, err := r.net.Node.StopSequencer(within(r.ctx, t, slack))
	must(t, err)
	last := header(r.ctx, t, r.l2).Number.Uint64()
	r.report(t, last)
	// The builder's op-node brought it every block.
	builder := dial(r.ctx, t, r.side.Builder.HTTP())
	awaitHead(r.ctx, t, builder, last, r.net.Processes()...)
	mustAgree(r.ctx, t, r.l2, builder, last)
	return last
}

// caughtUp waits until the chain is with the clock, which runs from genesis on,
// and returns the number of the head.
func (r *proposerRun) caughtUp(t *testing.T) (number uint64) {
	t.Helper()
	blockTime := time.Duration(r.net.BlockTimeSeconds()) * time.Second
	must(t, network.Await(within(r.ctx, t, slack), "the chain to be with the clock", func(ctx context.Context) error {
		head, err := r.l2.HeaderByNumber(ctx, nil)
		if err != nil {
			return err
		}
		number = head.Number.Uint64()
		if behind := time.Since(time.Unix(int64(head.Time), 0)); behind > blockTime {
			return fmt.Errorf("block %d is %s behind it", number, behind)
		}
		return nil
	}, r.net.Processes()...))
	return number
}

// strikes lets the trouble happen to the next block, which is not to be the
// builder's for the reason that it is given. It returns the block's number.
func (r *proposerRun) strikes(t *testing.T, one trouble) uint64 {
	t.Helper()
	// The head has just changed, so there is nearly all of a block's time left.
	number := r.nextHead(t) + 1
	one.begins(r)
	r.trouble[number] = one.name
	proposal := r.proposed(t, number)
	one.ends(r, t)
	if proposal.Reason != one.reason {
		t.Errorf("block %d, builder %s: %+v, want the own one for %q", number, one.name, proposal, one.reason)
	}
	return number
}

// nextHead waits for a new head.
func (r *proposerRun) nextHead(t *testing.T) uint64 {
	t.Helper()
	before, err := r.l2.BlockNumber(r.ctx)
	must(t, err)
	awaitHead(r.ctx, t, r.l2, before+1)
	return before + 1
}

// proposed waits until it is decided what block of that number to propose.
func (r *proposerRun) proposed(t *testing.T, number uint64) (found network.Proposal) {
	t.Helper()
	must(t, network.Await(within(r.ctx, t, slack), fmt.Sprintf("a proposal for block %d", number), func(context.Context) error {
		all, err := r.side.Proposals()
		if err == nil && all[number].Number != number {
			err = fmt.Errorf("there are %d others", len(all))
		}
		found = all[number]
		return err
	}, r.net.Node.Process(), r.net.Engine.Process()))
	return found
}

// buildersInARow waits until some blocks after number are the builder's, one
// after the other, and returns the number of the last one.
func (r *proposerRun) buildersInARow(t *testing.T, number uint64) uint64 {
	t.Helper()
	const patience = 20
	for row, end := 0, number+patience; row < calm; {
		number++
		if row++; !r.proposed(t, number).ByBuilder() {
			row = 0
		}
		if number == end {
			t.Fatalf("the builder is not back after %d blocks", patience)
		}
	}
	return number
}

// report holds what was proposed against the chain.
func (r *proposerRun) report(t *testing.T, last uint64) {
	t.Helper()
	r.clock.stop()
	proposals, err := r.side.Proposals()
	must(t, err)
	builders, users := uint64(0), 0
	reasons := make(map[string]int)
	for number := r.first; number <= last; number++ {
		proposal, known := proposals[number]
		block, err := r.l2.BlockByNumber(r.ctx, new(big.Int).SetUint64(number))
		must(t, err)
		switch {
		case !known:
			t.Errorf("nothing is said of block %d", number)
		case proposal.ByBuilder():
			builders++
			users += transactionsOfUsers(block)
			if proposal.Hash != block.Hash().Hex() {
				t.Errorf("block %d is %s, the proposal was %s", number, block.Hash(), proposal.Hash)
			}
		default:
			reasons[proposal.Reason]++
			if sent := transactionsOfUsers(block); sent > 0 {
				t.Errorf("own block %d has %d transactions that only the builder was sent", number, sent)
			}
		}
	}
	all := last + 1 - r.first
	late := r.clock.latest()
	t.Logf("%d blocks with %d troubles: %d by the builder with %d transactions of users, own ones: %s; the latest, %d, was the head %s after its timestamp",
		all, len(r.trouble), builders, users, counted(reasons), late.number, late.lag)
	if builders*2 <= all {
		t.Errorf("%d of %d blocks are the builder's", builders, all)
	}
	if users == 0 {
		t.Error("no transaction of a user came by the builder")
	}
	if late.lag > time.Duration(r.net.BlockTimeSeconds())*time.Second {
		t.Errorf("block %d was missed: it came %s after its timestamp", late.number, late.lag)
	}
}

func transactionsOfUsers(block *types.Block) (sent int) {
	for _, tx := range block.Transactions() {
		if !tx.IsDepositTx() {
			sent++
		}
	}
	return sent
}

// counted is "2 late, 1 unreachable".
func counted(reasons map[string]int) string {
	var parts []string
	for reason, count := range reasons {
		parts = append(parts, fmt.Sprintf("%d %s", count, reason))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
