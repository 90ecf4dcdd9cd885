package genesis

import (
	"fmt"
	"math"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// touched remembers which accounts and slots were written, since a state
// database knows them only by hash.
type touched map[common.Address]map[common.Hash]struct{}

func (t touched) account(address common.Address) map[common.Hash]struct{} {
	if t[address] == nil {
		t[address] = make(map[common.Hash]struct{})
	}
	return t[address]
}

func (t touched) hooks() *tracing.Hooks {
	return &tracing.Hooks{
		OnNonceChange: func(address common.Address, _, _ uint64) { t.account(address) },
		OnCodeChange: func(address common.Address, _ common.Hash, _ []byte, _ common.Hash, _ []byte) {
			t.account(address)
		},
		OnStorageChange: func(address common.Address, slot, _, _ common.Hash) {
			t.account(address)[slot] = struct{}{}
		},
	}
}

// applyUpgrade runs a fork's upgrade deposits on the genesis state and writes
// what they leave behind into the allocation. A deposit that fails is an error.
func applyUpgrade(genesis *core.Genesis, deposits []hexutil.Bytes) error {
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		return err
	}
	for address, account := range genesis.Alloc {
		if account.Balance != nil {
			db.AddBalance(address, uint256.MustFromBig(account.Balance), tracing.BalanceChangeUnspecified)
		}
		db.SetNonce(address, account.Nonce, tracing.NonceChangeUnspecified)
		db.SetCode(address, account.Code, tracing.CodeChangeUnspecified)
		for slot, value := range account.Storage {
			db.SetState(address, slot, value)
		}
	}
	db.Finalise(false)

	writes := make(touched)
	hooked := state.NewHookedState(db, writes.hooks())
	evm := vm.NewEVM(upgradeBlock(genesis), hooked, genesis.Config, vm.Config{})
	for index, raw := range deposits {
		var tx types.Transaction
		if err := tx.UnmarshalBinary(raw); err != nil {
			return fmt.Errorf("deposit %d: %w", index, err)
		}
		if err := runDeposit(evm, db, hooked, &tx); err != nil {
			return fmt.Errorf("deposit %d: %w", index, err)
		}
	}
	writes.copyInto(genesis.Alloc, db)
	return nil
}

func upgradeBlock(genesis *core.Genesis) vm.BlockContext {
	return vm.BlockContext{
		CanTransfer: core.CanTransfer,
		Transfer:    core.Transfer,
		GetHash:     func(uint64) common.Hash { return common.Hash{} },
		BlockNumber: new(big.Int),
		Time:        genesis.Timestamp,
		Difficulty:  new(big.Int),
		GasLimit:    math.MaxUint64,
		BaseFee:     big.NewInt(params.InitialBaseFee),
		BlobBaseFee: big.NewInt(1),
		Random:      new(common.Hash),
	}
}

func runDeposit(evm *vm.EVM, db *state.StateDB, hooked vm.StateDB, tx *types.Transaction) error {
	from, err := types.Sender(types.LatestSignerForChainID(evm.ChainConfig().ChainID), tx)
	if err != nil {
		return err
	}
	block := evm.Context
	rules := evm.ChainConfig().Rules(block.BlockNumber, true, block.Time)
	db.Prepare(rules, from, block.Coinbase, tx.To(), vm.ActivePrecompiles(rules), nil)
	evm.SetTxContext(vm.TxContext{Origin: from, GasPrice: uint256.NewInt(0)})

	if tx.To() == nil {
		_, _, _, err = evm.Create(from, tx.Data(), tx.Gas(), new(uint256.Int))
	} else {
		hooked.SetNonce(from, hooked.GetNonce(from)+1, tracing.NonceChangeUnspecified)
		_, _, err = evm.Call(from, *tx.To(), tx.Data(), tx.Gas(), new(uint256.Int))
	}
	db.Finalise(true)
	return err
}

func (t touched) copyInto(alloc types.GenesisAlloc, db *state.StateDB) {
	for address, slots := range t {
		account := alloc[address]
		account.Nonce = db.GetNonce(address)
		account.Code = db.GetCode(address)
		account.Balance = db.GetBalance(address).ToBig()
		if account.Storage == nil {
			account.Storage = make(map[common.Hash]common.Hash)
		}
		for slot := range slots {
			if value := db.GetState(address, slot); value == (common.Hash{}) {
				delete(account.Storage, slot)
			} else {
				account.Storage[slot] = value
			}
		}
		alloc[address] = account
	}
}
