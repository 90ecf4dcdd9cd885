package traffic

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"golang.org/x/sync/errgroup"

	"blockwright.test/devnet/genesis"
)

// Each large transaction stays below the 128 KiB that pools accept. Its data
// is zeros: they compress to nothing, so they cost no DA footprint.
const (
	largeDataBytes = 120_000
	largeGas       = 21_000 + 10*largeDataBytes // the floor price of calldata
)

// SendLarge sends more than size bytes of transactions, all accounts at the
// same time, and returns the last transaction of each.
func SendLarge(ctx context.Context, client *ethclient.Client, size int, accounts ...uint64) ([]common.Hash, error) {
	perAccount := size/(largeDataBytes*len(accounts)) + 1
	last := make([]common.Hash, len(accounts))
	var group errgroup.Group
	for index, account := range accounts {
		group.Go(func() error {
			batch, err := largeTransactions(ctx, client, account, perAccount)
			if err != nil {
				return err
			}
			for _, tx := range batch {
				if err := client.SendTransaction(ctx, tx); err != nil {
					return fmt.Errorf("large transaction of account %d: %w", account, err)
				}
			}
			last[index] = batch[perAccount-1].Hash()
			return nil
		})
	}
	return last, group.Wait()
}

// largeTransactions signs the account's next transactions.
func largeTransactions(ctx context.Context, client *ethclient.Client, account uint64, count int) ([]*types.Transaction, error) {
	key, err := genesis.Key(account)
	if err != nil {
		return nil, err
	}
	from := crypto.PubkeyToAddress(key.PublicKey)
	chainID, err := client.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	nonce, err := client.NonceAt(ctx, from, nil)
	if err != nil {
		return nil, err
	}
	tip := big.NewInt(1_000_000_000)
	signed := make([]*types.Transaction, 0, count)
	for index := range count {
		tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chainID), &types.DynamicFeeTx{
			ChainID: chainID, Nonce: nonce + uint64(index), Gas: largeGas, To: &from, Value: new(big.Int),
			GasTipCap: tip, GasFeeCap: new(big.Int).Mul(tip, big.NewInt(5)), Data: make([]byte, largeDataBytes),
		})
		if err != nil {
			return nil, err
		}
		signed = append(signed, tx)
	}
	return signed, nil
}
