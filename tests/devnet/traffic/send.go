// Package traffic makes users: transactions on L2, deposits and configuration
// updates on L1.
package traffic

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
)

const receiptPollInterval = 100 * time.Millisecond

// Call is what a transaction does; To is nil for a contract creation.
type Call struct {
	To    *common.Address
	Value *big.Int
	Data  []byte
	// Gas is the gas limit; 0 has the node estimate it.
	Gas uint64
}

// Send signs and sends call as the account's next transaction.
func Send(ctx context.Context, client *ethclient.Client, key *ecdsa.PrivateKey, call Call) (*types.Transaction, error) {
	from := crypto.PubkeyToAddress(key.PublicKey)
	chainID, err := client.ChainID(ctx)
	if err != nil {
		return nil, fmt.Errorf("chain id: %w", err)
	}
	nonce, err := client.NonceAt(ctx, from, nil)
	if err != nil {
		return nil, fmt.Errorf("nonce of %s: %w", from, err)
	}
	tip, err := client.SuggestGasTipCap(ctx)
	if err != nil {
		return nil, fmt.Errorf("tip: %w", err)
	}
	head, err := client.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	if call.Gas == 0 {
		message := ethereum.CallMsg{From: from, To: call.To, Value: call.Value, Data: call.Data}
		if call.Gas, err = client.EstimateGas(ctx, message); err != nil {
			return nil, fmt.Errorf("gas estimate: %w", err)
		}
	}
	feeCap := new(big.Int).Mul(head.BaseFee, big.NewInt(3))
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chainID), &types.DynamicFeeTx{
		ChainID: chainID, Nonce: nonce, GasTipCap: tip, GasFeeCap: feeCap.Add(feeCap, tip),
		Gas: call.Gas, To: call.To, Value: call.Value, Data: call.Data,
	})
	if err != nil {
		return nil, err
	}
	return tx, client.SendTransaction(ctx, tx)
}

var errPreconfirmed = errors.New("preconfirmed, in no block yet")

// AwaitReceipt waits until the transaction is in a block: a preconfirmed one has
// a receipt whose block hash is zero.
func AwaitReceipt(ctx context.Context, client *ethclient.Client, hash common.Hash) (*types.Receipt, error) {
	ticker := time.NewTicker(receiptPollInterval)
	defer ticker.Stop()
	for {
		receipt, err := client.TransactionReceipt(ctx, hash)
		if err == nil {
			if receipt.BlockHash != (common.Hash{}) {
				return receipt, nil
			}
			err = errPreconfirmed
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("receipt of %s: %w; last answer: %w", hash, ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
