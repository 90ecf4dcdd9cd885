package scenario

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/preconf"
	"blockwright.test/devnet/programs"
	"blockwright.test/devnet/traffic"
)

// rollupBoostEnv names the executable of rollup-boost; `make interop` sets it.
const rollupBoostEnv = "ROLLUP_BOOST_BIN"

// Accounts whose transactions flow without a pause.
var flowing = []uint64{3, 4, 5, 6, 7, 8, 9}

const flowInterval = 150 * time.Millisecond

// sidecarRun is a chain that is sequenced through rollup-boost.
type sidecarRun struct {
	ctx      context.Context
	net      *network.Devnet
	l2       *ethclient.Client // the fallback, which knows every block
	clock    *headClock
	outbound *preconf.Recorder // what rollup-boost streams
	inbound  *preconf.Recorder // what the builder streams
	// orphaned are the numbers of the blocks in the middle of which the builder died.
	orphaned map[uint64]bool
	// away are the numbers of those that it could not begin afterwards.
	away map[uint64]bool
}

// TestRollupBoost puts rollup-boost between op-node, the builder and op-geth as
// its fallback. The builder is killed in the middle of blocks. What rollup-boost
// streamed has to be in the chain, and op-geth finds every block valid.
func TestRollupBoost(t *testing.T) {
	program := os.Getenv(rollupBoostEnv)
	if program == "" {
		t.Skipf("%s is not set; `make interop` runs this", rollupBoostEnv)
	}
	blocks := interopNumber(t, "INTEROP_BLOCKS", 100, 30)
	for _, fork := range []struct {
		name         string
		jovianOffset int64
	}{{"isthmus", -1}, {"jovian", 0}} {
		t.Run(fork.name, func(t *testing.T) {
			options := genesis.DefaultOptions()
			options.JovianOffset = fork.jovianOffset
			options.BlockTimeSeconds = interopNumber(t, "INTEROP_BLOCK_TIME", 2, 1)
			limit := time.Duration(blocks*options.BlockTimeSeconds)*time.Second + 10*time.Minute
			r := startSidecarRun(within(context.Background(), t, limit), t, program, options)
			r.goesOn(t, blocks/3)
			r.builderDiesAndReturns(t, 0)
			r.goesOn(t, blocks/2)
			r.builderDiesAndReturns(t, 3)
			r.goesOn(t, blocks*3/4)
			r.builderDiesAndReturns(t, 0)
			r.goesOn(t, blocks)
			r.report(t, blocks)
		})
	}
}

func interopNumber(t *testing.T, name string, otherwise, least uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil || number < least {
		t.Fatalf("%s: %q is not a number from %d on", name, text, least)
	}
	return number
}

func startSidecarRun(ctx context.Context, t *testing.T, program string, options genesis.Options) *sidecarRun {
	t.Helper()
	built, err := programs.Build(ctx)
	must(t, err)
	r := &sidecarRun{ctx: ctx, orphaned: make(map[uint64]bool), away: make(map[uint64]bool)}
	r.net = startNetwork(ctx, t, network.Config{
		Programs: built, Engine: network.OpGeth, Genesis: options,
		Sidecar: &network.SidecarConfig{Program: program, BuilderProgram: blockwrightProgram(t)},
	})
	r.l2 = dial(ctx, t, r.net.Engine.HTTP())
	r.outbound, err = preconf.Record(ctx, r.net.Sidecar.Flashblocks())
	must(t, err)
	t.Cleanup(r.outbound.Stop)
	r.inbound, err = preconf.Record(ctx, r.net.Sidecar.Builder.Flashblocks())
	must(t, err)
	t.Cleanup(r.inbound.Stop)
	r.clock = startHeadClock(ctx, r.l2)
	t.Cleanup(r.clock.stop)
	flow, err := traffic.StartFlow(ctx, r.net.Sidecar.URL(), flowInterval, flowing...)
	must(t, err)
	t.Cleanup(func() {
		flow.Stop()
		t.Logf("load: %d transactions sent, %d refused", flow.Sent(), flow.Refused())
	})
	return r
}

// goesOn lets the chain grow; nothing may end meanwhile.
func (r *sidecarRun) goesOn(t *testing.T, number uint64) {
	t.Helper()
	awaitHead(r.ctx, t, r.l2, number, r.net.Processes()...)
}

// builderDiesAndReturns kills the builder after rollup-boost has passed on some
// of a block, leaves it away for a number of blocks, starts it again, gives it
// what it missed and waits until rollup-boost streams its flashblocks again.
func (r *sidecarRun) builderDiesAndReturns(t *testing.T, awayBlocks uint64) {
	t.Helper()
	const midBlock = 2 // deposits, and at least one flashblock of users' transactions
	wanted := func(f preconf.Frame) bool { return f.Index >= midBlock && len(f.Transactions) > 0 }
	last, err := r.outbound.Await(within(r.ctx, t, slack), wanted)
	must(t, err)
	builder := r.net.Sidecar.Builder
	builder.Process().Kill()
	r.orphaned[last.Number] = true
	if awayBlocks > 0 {
		awaitHead(r.ctx, t, r.l2, last.Number+awayBlocks)
	}
	must(t, builder.Start(within(r.ctx, t, slack)))
	caughtUp, err := r.net.CatchUp(within(r.ctx, t, slack), builder, r.l2)
	must(t, err)
	back, err := r.outbound.Await(within(r.ctx, t, slack), func(f preconf.Frame) bool {
		return f.Number > last.Number && f.Index >= midBlock
	})
	must(t, err)
	for number := last.Number + 1; number < back.Number; number++ {
		r.away[number] = true
	}
	t.Logf("the builder died after flashblock %d of block %d; it was given %d blocks and builds again from block %d",
		last.Index, last.Number, caughtUp, back.Number)
}

// report judges the whole run.
func (r *sidecarRun) report(t *testing.T, blocks uint64) {
	t.Helper()
	sealed, complaints, err := r.net.Sidecar.ReadLog()
	must(t, err)
	r.outbound.Stop()
	r.inbound.Stop()
	r.clock.stop()
	if err := r.outbound.Faults(); err != nil {
		t.Errorf("stream of rollup-boost: %v", err)
	}
	if err := r.inbound.Faults(); err != nil {
		t.Errorf("stream of the builder: %v", err)
	}
	r.promisesAreKept(t, sealed, blocks)
	r.nothingIsRefused(t, complaints)
	if late := r.clock.latest(); late.lag > time.Duration(r.blockTime())*time.Second {
		t.Errorf("block %d came %s after its timestamp", late.number, late.lag)
	} else {
		t.Logf("no block was missed; the latest, %d, was the head %s after its timestamp", late.number, late.lag)
	}
}

func (r *sidecarRun) blockTime() uint64 { return r.net.BlockTimeSeconds() }

// promisesAreKept compares both streams with the chain.
func (r *sidecarRun) promisesAreKept(t *testing.T, sealed []network.Sealed, blocks uint64) {
	t.Helper()
	byBuilder := make(map[string]bool)
	builder, fallback, unexplained, orphansSealed := 0, 0, 0, 0
	for _, one := range sealed {
		if one.Number > blocks {
			continue
		}
		byBuilder[one.PayloadID] = one.ByBuilder
		switch {
		case one.ByBuilder:
			builder++
			if r.orphaned[one.Number] {
				orphansSealed++
			}
		default:
			fallback++
			if !r.away[one.Number] {
				unexplained++
				t.Logf("block %d is the fallback's without need", one.Number)
			}
		}
	}
	outbound, inbound := r.judge(t, r.outbound, blocks), r.judge(t, r.inbound, blocks)
	for _, broken := range outbound.broken {
		t.Errorf("rollup-boost streamed what the chain has not: %v", broken)
	}
	for _, broken := range inbound.broken {
		t.Logf("the builder streamed what the chain has not: %v", broken)
	}
	for id, isBuilders := range byBuilder {
		if whole, streamed := outbound.whole[id]; isBuilders && streamed && !whole {
			t.Errorf("payload %s was sealed with more than what was streamed", id)
		}
	}
	t.Logf("%d blocks: %d by the builder, %d by the fallback (%d without need)", builder+fallback, builder, fallback, unexplained)
	t.Logf("%d of %d blocks whose builder died were sealed from its flashblocks", orphansSealed, len(r.orphaned))
	if orphansSealed != len(r.orphaned) {
		t.Error("a block was given up when its builder died, though flashblocks of it were streamed")
	}
	t.Logf("rollup-boost streamed %s", outbound)
	t.Logf("the builder streamed %s", inbound)
	const excusable = 20 // one block in so many may be the fallback's on a busy machine
	if unexplained*excusable > builder+fallback {
		t.Errorf("the fallback made %d of %d blocks without need", unexplained, builder+fallback)
	}
	if outbound.users == 0 {
		t.Error("no transaction of a user was streamed")
	}
}

// nothingIsRefused fails on every sign that rollup-boost could not use a flashblock.
func (r *sidecarRun) nothingIsRefused(t *testing.T, complaints []network.Complaint) {
	t.Helper()
	kinds := make(map[string]int)
	for _, complaint := range complaints {
		kinds[complaint.Message]++
	}
	for message, count := range kinds {
		t.Logf("rollup-boost logged %d times: %s", count, message)
	}
	for _, message := range []string{
		"Payload ID mismatch", "Failed to extend payload",
		"Payload id returned by builder differs from calculated. Using builder payload id",
	} {
		if kinds[message] > 0 {
			t.Errorf("rollup-boost refused flashblocks %d times: %s", kinds[message], message)
		}
	}
	for _, counter := range []string{"current_payload_id_mismatch", "extend_payload_errors"} {
		count, err := r.net.Sidecar.Counter(r.ctx, "flashblocks_service", counter)
		must(t, err)
		if count > 0 {
			t.Errorf("rollup-boost counts %v of %s", count, counter)
		}
	}
	processed, err := r.net.Sidecar.Counter(r.ctx, "flashblocks_service", "messages_processed")
	must(t, err)
	if processed == 0 {
		t.Error("rollup-boost counts no flashblock")
	}
}

// kept is the account of a stream.
type kept struct {
	broken                       []error
	whole                        map[string]bool // by payload id
	payloads, flashblocks, users uint64
}

func (k kept) String() string {
	return fmt.Sprintf("%d flashblocks of %d payloads with %d transactions of users: %d broken",
		k.flashblocks, k.payloads, k.users, len(k.broken))
}

func (r *sidecarRun) judge(t *testing.T, stream *preconf.Recorder, blocks uint64) kept {
	t.Helper()
	account := kept{whole: make(map[string]bool)}
	for _, payload := range stream.Payloads() {
		if payload.Number > blocks {
			continue // not sealed yet
		}
		block, err := r.l2.BlockByNumber(r.ctx, new(big.Int).SetUint64(payload.Number))
		must(t, err)
		verdict, err := payload.Judge(block)
		must(t, err)
		if verdict.Broken != nil {
			account.broken = append(account.broken, verdict.Broken)
		}
		account.whole[payload.ID] = verdict.Whole
		account.payloads++
		account.flashblocks += payload.Flashblocks
		for _, raw := range payload.Transactions {
			if raw[0] != types.DepositTxType {
				account.users++
			}
		}
	}
	return account
}
