// Package genesis computes, offline, the first blocks and the configuration of
// a devnet: an L1, an L2 on top of it and the rollup configuration that ties
// them together.
package genesis

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum-optimism/optimism/op-chain-ops/devkeys"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
)

// Accounts is how many accounts of the standard test mnemonic are funded, on L1 and on L2.
const Accounts = 10

// Roles of the funded accounts. The others are free for user traffic.
const (
	// Publisher signs the blocks that the sequencer publishes by gossip.
	Publisher = 0
	// Depositor sends the L1 transactions of tests: deposits and configuration updates.
	Depositor = 1
	// Batcher signs the L1 transactions that carry L2 batches.
	Batcher = 2
	// Builder signs bids.
	Builder = 8
	// Proposer signs requests for blocks.
	Proposer = 9
)

// Key returns the private key of a funded account, 0 <= index < Accounts.
func Key(index uint64) (*ecdsa.PrivateKey, error) {
	keys, err := devkeys.NewMnemonicDevKeys(devkeys.TestMnemonic)
	if err != nil {
		return nil, fmt.Errorf("test mnemonic: %w", err)
	}
	return keys.Secret(devkeys.UserKey(index))
}

// Address returns the address of a funded account, 0 <= index < Accounts.
func Address(index uint64) (common.Address, error) {
	key, err := Key(index)
	if err != nil {
		return common.Address{}, err
	}
	return crypto.PubkeyToAddress(key.PublicKey), nil
}

// fund gives every test account 10,000 ether.
func fund(alloc types.GenesisAlloc) error {
	balance := new(big.Int).Mul(big.NewInt(10_000), big.NewInt(params.Ether))
	for index := uint64(0); index < Accounts; index++ {
		address, err := Address(index)
		if err != nil {
			return err
		}
		account := alloc[address]
		account.Balance = balance
		alloc[address] = account
	}
	return nil
}
