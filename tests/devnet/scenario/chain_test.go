package scenario

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/network"
	"blockwright.test/devnet/process"
)

// slack is added to the time that blocks take by the clock.
const slack = 60 * time.Second

// awaitHead waits until the node's head is at number or after it.
func awaitHead(ctx context.Context, t *testing.T, client *ethclient.Client, number uint64, needed ...*process.Process) {
	t.Helper()
	limit := time.Duration(number)*time.Second + slack
	must(t, network.Await(within(ctx, t, limit), fmt.Sprintf("block %d", number), func(ctx context.Context) error {
		head, err := client.BlockNumber(ctx)
		if err == nil && head < number {
			err = fmt.Errorf("the head is block %d", head)
		}
		return err
	}, needed...))
}

// header returns the header of a canonical block; latest without a number.
func header(ctx context.Context, t *testing.T, client *ethclient.Client, number ...uint64) *types.Header {
	t.Helper()
	var which *big.Int
	if len(number) > 0 {
		which = new(big.Int).SetUint64(number[0])
	}
	found, err := client.HeaderByNumber(ctx, which)
	if err != nil {
		t.Fatalf("header %v: %v", which, err)
	}
	return found
}

// mustHold fails unless the block is canonical on the node.
func mustHold(ctx context.Context, t *testing.T, client *ethclient.Client, block *types.Header) {
	t.Helper()
	found := header(ctx, t, client, block.Number.Uint64())
	if found.Hash() != block.Hash() {
		t.Fatalf("block %d is %s, it was %s", block.Number, found.Hash(), block.Hash())
	}
}

// mustAgree fails unless both nodes have the same canonical blocks, from genesis to last.
func mustAgree(ctx context.Context, t *testing.T, one, other *ethclient.Client, last uint64) {
	t.Helper()
	for number := uint64(0); number <= last; number++ {
		mustHold(ctx, t, other, header(ctx, t, one, number))
	}
}

// followerAgrees starts a second engine that gets the chain from the batches
// on L1, up to last, and compares all blocks.
func followerAgrees(ctx context.Context, t *testing.T, d *network.Devnet, last *types.Header) {
	t.Helper()
	follower, err := d.AddFollower(within(ctx, t, slack))
	must(t, err)
	must(t, network.Await(within(ctx, t, 3*slack), "the follower", func(ctx context.Context) error {
		status, err := follower.Node.SyncStatus(ctx)
		if err == nil && status.SafeL2.Number < last.Number.Uint64() {
			err = fmt.Errorf("its safe head is block %d of %d", status.SafeL2.Number, last.Number)
		}
		return err
	}, d.Processes()...))
	one, other := dial(ctx, t, d.Engine.HTTP()), dial(ctx, t, follower.Engine.HTTP())
	mustAgree(ctx, t, one, other, last.Number.Uint64())
}
