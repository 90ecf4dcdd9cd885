package scenario

import (
	"context"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"blockwright.test/devnet/network"
)

// judge feeds blocks to an op-geth and compares what it makes of them.
type judge struct {
	auth   *rpc.Client
	public *ethclient.Client
}

func newJudge(ctx context.Context, t *testing.T, d *network.Devnet) *judge {
	t.Helper()
	geth, err := d.AddJudge(ctx)
	must(t, err)
	secret, err := d.JWTSecret()
	must(t, err)
	auth, err := rpc.DialOptions(ctx, geth.Auth(), rpc.WithHTTPAuth(node.NewJWTAuth(secret)))
	must(t, err)
	t.Cleanup(auth.Close)
	return &judge{auth: auth, public: dial(ctx, t, geth.HTTP())}
}

// importChain gives the judge every block from 1 to last, in order. It has to
// find each valid, and to answer for it as the node does.
func (j *judge) importChain(ctx context.Context, t *testing.T, from *ethclient.Client, last uint64) {
	t.Helper()
	for number := uint64(1); number <= last; number++ {
		j.importBlock(ctx, t, from, number)
		for _, question := range []struct {
			method string
			params []any
		}{
			{"eth_getBlockByNumber", []any{hexNumber(number), true}},
			{"eth_getBlockByNumber", []any{hexNumber(number), false}},
		} {
			answersAlike(ctx, t, from.Client(), j.public.Client(), question.method, question.params...)
		}
		block, err := from.BlockByNumber(ctx, new(big.Int).SetUint64(number))
		must(t, err)
		for _, tx := range block.Transactions() {
			answersAlike(ctx, t, from.Client(), j.public.Client(), "eth_getTransactionReceipt", tx.Hash())
			answersAlike(ctx, t, from.Client(), j.public.Client(), "eth_getTransactionByHash", tx.Hash())
		}
	}
}

func (j *judge) importBlock(ctx context.Context, t *testing.T, from *ethclient.Client, number uint64) {
	t.Helper()
	block, err := from.BlockByNumber(ctx, new(big.Int).SetUint64(number))
	must(t, err)
	// The hash is computed here from the fields that the node answers.
	payload := engine.BlockToExecutableData(block, nil, nil, nil).ExecutionPayload
	var status engine.PayloadStatusV1
	err = j.auth.CallContext(ctx, &status, "engine_newPayloadV4", payload, []common.Hash{}, block.BeaconRoot(), []any{})
	must(t, err)
	if status.Status != engine.VALID {
		t.Fatalf("op-geth finds block %d %s: %v", number, status.Status, text(status.ValidationError))
	}
	var choice engine.ForkChoiceResponse
	state := engine.ForkchoiceStateV1{HeadBlockHash: block.Hash()}
	must(t, j.auth.CallContext(ctx, &choice, "engine_forkchoiceUpdatedV3", state, nil))
	if choice.PayloadStatus.Status != engine.VALID {
		t.Fatalf("op-geth answers the fork choice of block %d by %s", number, choice.PayloadStatus.Status)
	}
	mustHold(ctx, t, j.public, block.Header())
}

func text(optional *string) string {
	if optional == nil {
		return "no reason given"
	}
	return *optional
}
