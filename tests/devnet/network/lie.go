package network

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"

	"blockwright.test/devnet/genesis"
)

// bid is what a builder signs.
type bid struct {
	Slot                 hexutil.Uint64 `json:"slot"`
	ParentHash           common.Hash    `json:"parentHash"`
	BlockHash            common.Hash    `json:"blockHash"`
	BuilderAddress       common.Address `json:"builderAddress"`
	ProposerAddress      common.Address `json:"proposerAddress"`
	ProposerFeeRecipient common.Address `json:"proposerFeeRecipient"`
	GasLimit             hexutil.Uint64 `json:"gasLimit"`
	GasUsed              hexutil.Uint64 `json:"gasUsed"`
	Value                *hexutil.Big   `json:"value"`
}

func (b bid) sign(key *ecdsa.PrivateKey) (hexutil.Bytes, error) {
	message, err := rlp.EncodeToBytes([]any{
		uint64(b.Slot), b.ParentHash, b.BlockHash, b.BuilderAddress, b.ProposerAddress, b.ProposerFeeRecipient,
		uint64(b.GasLimit), uint64(b.GasUsed), (*big.Int)(b.Value),
	})
	if err != nil {
		return nil, err
	}
	domain, chain := common.Hash{31: 1}, common.BigToHash(big.NewInt(genesis.L2ChainID))
	return crypto.Sign(crypto.Keccak256(domain[:], chain[:], crypto.Keccak256(message)), key)
}

// wrongState turns a builder's answer into a lie that only execution finds: the
// state root is wrong, and the block's hash, bid and signature fit it.
func wrongState(answer []byte, roots *beaconRoots) ([]byte, error) {
	var fields struct {
		Version string                     `json:"version"`
		Bid     bid                        `json:"message"`
		Payload map[string]json.RawMessage `json:"executionPayload"`
		// Signature is replaced.
		Signature hexutil.Bytes `json:"signature"`
	}
	var typed struct {
		Payload engine.ExecutableData `json:"executionPayload"`
	}
	for _, into := range []any{&fields, &typed} {
		if err := json.Unmarshal(answer, into); err != nil {
			return nil, err
		}
	}
	root, known := roots.onParent(typed.Payload.ParentHash)
	if !known {
		return nil, fmt.Errorf("no attributes were seen for a block on %s", typed.Payload.ParentHash)
	}
	typed.Payload.StateRoot = common.Hash{0x66}
	block, err := engine.ExecutableDataToBlockNoHash(typed.Payload, nil, &root, [][]byte{}, types.IsthmusBlockConfig)
	if err != nil {
		return nil, err
	}
	fields.Bid.BlockHash = block.Hash()
	for name, hash := range map[string]common.Hash{"stateRoot": block.Root(), "blockHash": block.Hash()} {
		if fields.Payload[name], err = json.Marshal(hash); err != nil {
			return nil, err
		}
	}
	key, err := genesis.Key(genesis.Builder)
	if err != nil {
		return nil, err
	}
	if fields.Signature, err = fields.Bid.sign(key); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}
