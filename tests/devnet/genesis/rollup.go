package genesis

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
)

// BatchInbox is where the batcher sends its batches; nobody owns it.
var BatchInbox = common.HexToAddress("0xff00000000000000000000000000000000000901")

// Fee scalars of L1 data, the two values of OP Mainnet.
const (
	baseFeeScalar     = 1368
	blobBaseFeeScalar = 810949
)

// Rollup returns the configuration that op-node needs to derive l2 from l1.
func Rollup(l1, l2 *core.Genesis, options Options) (*rollup.Config, error) {
	batcher, err := Address(Batcher)
	if err != nil {
		return nil, err
	}
	config := &rollup.Config{
		Genesis: rollup.Genesis{
			L1:     blockID(l1),
			L2:     blockID(l2),
			L2Time: l2.Timestamp,
			SystemConfig: eth.SystemConfig{
				BatcherAddr: batcher,
				Scalar:      feeScalar(),
				GasLimit:    l2.GasLimit,
			},
		},
		BlockTime:              options.BlockTimeSeconds,
		MaxSequencerDrift:      600,
		SeqWindowSize:          3600,
		ChannelTimeoutBedrock:  300,
		L1ChainID:              l1.Config.ChainID,
		L2ChainID:              l2.Config.ChainID,
		RegolithTime:           l2.Config.RegolithTime,
		CanyonTime:             l2.Config.CanyonTime,
		DeltaTime:              l2.Config.EcotoneTime, // the execution clients do not know Delta
		EcotoneTime:            l2.Config.EcotoneTime,
		FjordTime:              l2.Config.FjordTime,
		GraniteTime:            l2.Config.GraniteTime,
		HoloceneTime:           l2.Config.HoloceneTime,
		IsthmusTime:            l2.Config.IsthmusTime,
		JovianTime:             l2.Config.JovianTime,
		KarstTime:              l2.Config.KarstTime,
		BatchInboxAddress:      BatchInbox,
		DepositContractAddress: PortalAddress,
		L1SystemConfigAddress:  SystemConfigAddress,
		ChainOpConfig:          l2.Config.Optimism,
	}
	return config, config.Check()
}

func blockID(genesis *core.Genesis) eth.BlockID {
	block := genesis.ToBlock()
	return eth.BlockID{Hash: block.Hash(), Number: new(big.Int).Set(block.Number()).Uint64()}
}

// feeScalar packs the scalars as Ecotone has them: version 1, then the blob
// and the plain base fee scalar in the last eight bytes.
func feeScalar() (scalar eth.Bytes32) {
	scalar[0] = 1
	binary.BigEndian.PutUint32(scalar[24:], blobBaseFeeScalar)
	binary.BigEndian.PutUint32(scalar[28:], baseFeeScalar)
	return scalar
}
