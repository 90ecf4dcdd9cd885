package payloadid

import (
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/miner"
)

const file = "vectors.json"

var update = flag.Bool("update", false, "write "+file+" anew")

type vector struct {
	Name       string                   `json:"name"`
	Parent     common.Hash              `json:"parent"`
	Version    byte                     `json:"version"`
	Attributes engine.PayloadAttributes `json:"attributes"`
	ID         engine.PayloadID         `json:"id"`
}

// idOf is the id that op-geth answers to a fork choice with these attributes.
func idOf(v vector) (engine.PayloadID, error) {
	transactions := make([]*types.Transaction, 0, len(v.Attributes.Transactions))
	for _, raw := range v.Attributes.Transactions {
		var tx types.Transaction
		if err := tx.UnmarshalBinary(raw); err != nil {
			return engine.PayloadID{}, err
		}
		transactions = append(transactions, &tx)
	}
	args := miner.BuildPayloadArgs{
		Parent: v.Parent, Version: engine.PayloadVersion(v.Version),
		Timestamp: v.Attributes.Timestamp, Random: v.Attributes.Random,
		FeeRecipient: v.Attributes.SuggestedFeeRecipient, Withdrawals: v.Attributes.Withdrawals,
		BeaconRoot: v.Attributes.BeaconRoot, NoTxPool: v.Attributes.NoTxPool, Transactions: transactions,
		GasLimit: v.Attributes.GasLimit, EIP1559Params: v.Attributes.EIP1559Params, MinBaseFee: v.Attributes.MinBaseFee,
	}
	return args.Id(), nil
}

func TestVectorsAreOpGeths(t *testing.T) {
	if *update {
		write(t)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		id, err := idOf(v)
		if err != nil {
			t.Fatal(err)
		}
		if id != v.ID {
			t.Errorf("%s: op-geth's id is %s, the file has %s", v.Name, id, v.ID)
		}
	}
}

func write(t *testing.T) {
	t.Helper()
	vectors := make([]vector, 0)
	for _, v := range inputs(t) {
		var err error
		if v.ID, err = idOf(v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	text, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inputs differ in each field that an id covers, and in both versions.
func inputs(t *testing.T) []vector {
	t.Helper()
	deposit, transfer := transactions(t)
	gasLimit, minBaseFee := uint64(60_000_000), uint64(1_000_000_000)
	root := common.HexToHash("0x34")
	ecotone := engine.PayloadAttributes{
		Timestamp: 0x686d6600, Random: common.HexToHash("0x12"), Withdrawals: []*types.Withdrawal{},
		SuggestedFeeRecipient: common.HexToAddress("0x4200000000000000000000000000000000000011"),
		BeaconRoot:            &root,
	}
	sequenced := ecotone
	sequenced.Transactions, sequenced.GasLimit = [][]byte{deposit, transfer}, &gasLimit
	isthmus := sequenced
	isthmus.EIP1559Params = []byte{0, 0, 0, 250, 0, 0, 0, 6}
	jovian := isthmus
	jovian.MinBaseFee = &minBaseFee
	noPool := jovian
	noPool.NoTxPool = true
	bare := noPool
	bare.Transactions = nil
	withdrawn := ecotone
	withdrawn.Withdrawals = []*types.Withdrawal{{Index: 1, Validator: 2, Address: common.HexToAddress("0x3"), Amount: 4}}
	all := make([]vector, 0)
	for _, version := range []byte{3, 4} {
		for _, one := range []struct {
			name       string
			attributes engine.PayloadAttributes
		}{
			{"without what rollups add", ecotone},
			{"with a withdrawal", withdrawn},
			{"transactions and gas limit (Ecotone)", sequenced},
			{"EIP-1559 parameters (Isthmus)", isthmus},
			{"minimum base fee (Jovian)", jovian},
			{"no transactions from the pool", noPool},
			{"no transactions at all", bare},
		} {
			all = append(all, vector{
				Name: one.name, Parent: common.HexToHash("0xabcd"), Version: version, Attributes: one.attributes,
			})
		}
	}
	return all
}

func transactions(t *testing.T) (deposit, transfer []byte) {
	t.Helper()
	to := common.HexToAddress("0x4200000000000000000000000000000000000015")
	deposit, err := types.NewTx(&types.DepositTx{
		SourceHash: common.HexToHash("0x99"), From: to, To: &to, Value: big.NewInt(5), Gas: 1_000_000, Data: []byte{1, 2, 3},
	}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	key := crypto.ToECDSAUnsafe(common.LeftPadBytes([]byte{1}, 32))
	signed, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(901)), &types.DynamicFeeTx{
		ChainID: big.NewInt(901), GasFeeCap: big.NewInt(7), Gas: 21_000, To: &to,
	})
	if err != nil {
		t.Fatal(err)
	}
	transfer, err = signed.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return deposit, transfer
}
