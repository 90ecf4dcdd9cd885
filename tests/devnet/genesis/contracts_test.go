package genesis

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
)

// run executes code at address and returns its only log.
func run(t *testing.T, address common.Address, code, input []byte, value *big.Int, from common.Address) *types.Log {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	db.SetCode(address, code, 0)
	config := &runtime.Config{State: db, Value: value, Origin: from, GasLimit: 1_000_000}
	if _, _, err := runtime.Call(address, input, config); err != nil {
		t.Fatal(err)
	}
	logs := db.Logs()
	if len(logs) != 1 {
		t.Fatalf("%d logs, want 1", len(logs))
	}
	return logs[0]
}

func TestPortalLogsWhatDerivationReads(t *testing.T) {
	from, to := common.HexToAddress("0x1111"), common.HexToAddress("0x2222")
	for _, size := range []int{0, 1, 22, 23, 24, 32, 55, 1000} {
		data := bytes.Repeat([]byte{0xab}, size)
		input := []byte{0xe9, 0xe0, 0x5c, 0x42}
		for _, word := range []*big.Int{
			to.Big(), big.NewInt(7), big.NewInt(1 << 40), big.NewInt(0), big.NewInt(5 * 32), big.NewInt(int64(size)),
		} {
			input = append(input, common.LeftPadBytes(word.Bytes(), 32)...)
		}
		input = append(input, common.RightPadBytes(data, (size+31)/32*32)...)

		deposit, err := derive.UnmarshalDepositLogEvent(run(t, PortalAddress, portalCode(), input, new(big.Int), from))
		if err != nil {
			t.Fatalf("%d bytes of data: %v", size, err)
		}
		if deposit.From != from || *deposit.To != to || deposit.Value.Int64() != 7 || deposit.Gas != 1<<40 ||
			!bytes.Equal(deposit.Data, data) {
			t.Errorf("%d bytes of data: %+v", size, deposit)
		}
	}
}

func TestSystemConfigLogsWhatDerivationReads(t *testing.T) {
	input := derive.SystemConfigUpdateGasLimit.Bytes()
	for _, word := range []int64{32, 32, 77_000_000} {
		input = append(input, common.LeftPadBytes(big.NewInt(word).Bytes(), 32)...)
	}
	log := run(t, SystemConfigAddress, systemConfigCode(), input, new(big.Int), common.Address{})
	want := []common.Hash{derive.ConfigUpdateEventABIHash, {}, derive.SystemConfigUpdateGasLimit}
	if len(log.Topics) != len(want) {
		t.Fatalf("%d topics, want %d", len(log.Topics), len(want))
	}
	for index := range want {
		if log.Topics[index] != want[index] {
			t.Errorf("topic %d is %s, want %s", index, log.Topics[index], want[index])
		}
	}
	if !bytes.Equal(log.Data, input[32:]) {
		t.Errorf("data is %x, want %x", log.Data, input[32:])
	}
}
