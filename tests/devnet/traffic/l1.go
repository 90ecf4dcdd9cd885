package traffic

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
)

const (
	word = 32
	// l1Gas is enough for the two L1 contracts with small calldata.
	l1Gas = 500_000
)

// Deposit sends ether from L1 to the account on L2, waits for the L1 block and
// returns the hash that the deposit will have on L2.
func Deposit(ctx context.Context, l1 *ethclient.Client, to common.Address, value *big.Int) (common.Hash, error) {
	const l2Gas = 100_000
	data := crypto.Keccak256([]byte("depositTransaction(address,uint256,uint64,bool,bytes)"))[:4]
	data = append(data, common.LeftPadBytes(to[:], word)...)
	data = append(data, common.LeftPadBytes(value.Bytes(), word)...)
	data = append(data, uintWord(l2Gas)...)
	data = append(data, uintWord(0)...)        // not a creation
	data = append(data, uintWord(5*word)...)   // where the bytes are
	data = append(data, make([]byte, word)...) // and there are none

	receipt, err := sendL1(ctx, l1, Call{To: &genesis.PortalAddress, Value: value, Data: data, Gas: l1Gas})
	if err != nil {
		return common.Hash{}, fmt.Errorf("deposit: %w", err)
	}
	deposit, err := derive.UnmarshalDepositLogEvent(receipt.Logs[0])
	if err != nil {
		return common.Hash{}, fmt.Errorf("deposit event: %w", err)
	}
	return types.NewTx(deposit).Hash(), nil
}

// SetGasLimit changes the L2 block gas limit.
func SetGasLimit(ctx context.Context, l1 *ethclient.Client, gasLimit uint64) error {
	return updateConfig(ctx, l1, derive.SystemConfigUpdateGasLimit, uintWord(gasLimit))
}

// SetOperatorFee changes the operator fee: gas used times scalar divided by a
// million, plus constant, in wei.
func SetOperatorFee(ctx context.Context, l1 *ethclient.Client, scalar uint32, constant uint64) error {
	encoded := eth.EncodeOperatorFeeParams(eth.OperatorFeeParams{Scalar: scalar, Constant: constant})
	return updateConfig(ctx, l1, derive.SystemConfigUpdateOperatorFeeParams, encoded[:])
}

func updateConfig(ctx context.Context, l1 *ethclient.Client, kind common.Hash, value []byte) error {
	data := append(kind.Bytes(), uintWord(word)...)
	data = append(data, uintWord(uint64(len(value)))...)
	data = append(data, value...)
	_, err := sendL1(ctx, l1, Call{To: &genesis.SystemConfigAddress, Value: new(big.Int), Data: data, Gas: l1Gas})
	if err != nil {
		return fmt.Errorf("configuration update %s: %w", kind, err)
	}
	return nil
}

// sendL1 sends from the depositor's account and returns the receipt, which has one log.
func sendL1(ctx context.Context, l1 *ethclient.Client, call Call) (*types.Receipt, error) {
	key, err := genesis.Key(genesis.Depositor)
	if err != nil {
		return nil, err
	}
	tx, err := Send(ctx, l1, key, call)
	if err != nil {
		return nil, err
	}
	receipt, err := AwaitReceipt(ctx, l1, tx.Hash())
	if err != nil {
		return nil, err
	}
	if receipt.Status != types.ReceiptStatusSuccessful || len(receipt.Logs) != 1 {
		return nil, fmt.Errorf("L1 transaction %s: status %d, %d logs", tx.Hash(), receipt.Status, len(receipt.Logs))
	}
	return receipt, nil
}

func uintWord(value uint64) []byte {
	var encoded [word]byte
	binary.BigEndian.PutUint64(encoded[word-8:], value)
	return encoded[:]
}
