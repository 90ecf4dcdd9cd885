package network

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

// CatchUp gives an engine the blocks that it missed, from a node that has them,
// and returns how many there were. rollup-boost does not: it passes on only the
// new ones. In production the peers of the engine, or an op-node of its own, do.
func (d *Devnet) CatchUp(ctx context.Context, behind Engine, from *ethclient.Client) (uint64, error) {
	secret, err := d.JWTSecret()
	if err != nil {
		return 0, err
	}
	auth, err := rpc.DialOptions(ctx, behind.Auth(), rpc.WithHTTPAuth(node.NewJWTAuth(secret)))
	if err != nil {
		return 0, err
	}
	defer auth.Close()
	own, err := ethclient.NewClient(auth).BlockNumber(ctx)
	if err != nil {
		return 0, fmt.Errorf("head of the engine that is behind: %w", err)
	}
	for given := uint64(0); ; given++ {
		head, err := from.BlockNumber(ctx)
		if err != nil {
			return given, fmt.Errorf("head of the engine that is ahead: %w", err)
		}
		next := own + given + 1
		if next > head {
			return given, nil
		}
		if err := giveBlock(ctx, auth, from, next); err != nil {
			return given, fmt.Errorf("block %d: %w", next, err)
		}
	}
}

func giveBlock(ctx context.Context, auth *rpc.Client, from *ethclient.Client, number uint64) error {
	block, err := from.BlockByNumber(ctx, new(big.Int).SetUint64(number))
	if err != nil {
		return err
	}
	payload := engine.BlockToExecutableData(block, nil, nil, nil).ExecutionPayload
	var status engine.PayloadStatusV1
	err = auth.CallContext(ctx, &status, "engine_newPayloadV4", payload, []common.Hash{}, block.BeaconRoot(), []any{})
	if err != nil {
		return err
	}
	if status.Status != engine.VALID {
		return fmt.Errorf("the engine finds it %s", status.Status)
	}
	return nil
}
