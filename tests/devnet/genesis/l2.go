package genesis

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum-optimism/optimism/op-core/forks"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/params"
)

// L2ChainID is the chain id of the rollup.
const L2ChainID = 901

// The chain of the embedded superchain registry whose predeploys are taken:
// it began with Isthmus, so they are all in its genesis.
const templateChainID = 420120009

// EIP-1559 parameters of the rollup; the Canyon denominator is the one in force.
const (
	elasticity        = 6
	denominator       = 50
	denominatorCanyon = 250
)

// L2 returns the genesis of the rollup.
func L2(timestamp uint64, options Options) (*core.Genesis, error) {
	genesis, err := core.LoadOPStackGenesis(templateChainID)
	if err != nil {
		return nil, fmt.Errorf("predeploys of chain %d: %w", templateChainID, err)
	}
	genesis.Timestamp = timestamp
	genesis.GasLimit = options.GasLimit
	genesis.Config = l2ChainConfig(timestamp, options)
	genesis.ExtraData = extraData(options)
	if err := fund(genesis.Alloc); err != nil {
		return nil, err
	}
	if options.JovianOffset == 0 {
		deposits, err := derive.JovianNetworkUpgradeTransactions()
		if err != nil {
			return nil, fmt.Errorf("upgrade deposits of Jovian: %w", err)
		}
		if err := applyUpgrade(genesis, deposits); err != nil {
			return nil, fmt.Errorf("Jovian at genesis: %w", err)
		}
	}
	if options.KarstOffset == 0 {
		deposits, _, err := derive.UpgradeTransactions(forks.Karst)
		if err != nil {
			return nil, fmt.Errorf("upgrade deposits of Karst: %w", err)
		}
		if err := applyUpgrade(genesis, deposits); err != nil {
			return nil, fmt.Errorf("Karst at genesis: %w", err)
		}
	}
	return genesis, nil
}

func l2ChainConfig(timestamp uint64, options Options) *params.ChainConfig {
	zero := new(big.Int)
	canyon := uint64(denominatorCanyon)
	config := &params.ChainConfig{
		ChainID:        big.NewInt(L2ChainID),
		HomesteadBlock: zero, EIP150Block: zero, EIP155Block: zero, EIP158Block: zero,
		ByzantiumBlock: zero, ConstantinopleBlock: zero, PetersburgBlock: zero, IstanbulBlock: zero,
		MuirGlacierBlock: zero, BerlinBlock: zero, LondonBlock: zero, ArrowGlacierBlock: zero,
		GrayGlacierBlock: zero, MergeNetsplitBlock: zero, BedrockBlock: zero,
		TerminalTotalDifficulty: zero,
		ShanghaiTime:            new(uint64), CancunTime: new(uint64), PragueTime: new(uint64),
		RegolithTime: new(uint64), CanyonTime: new(uint64), EcotoneTime: new(uint64),
		FjordTime: new(uint64), GraniteTime: new(uint64), HoloceneTime: new(uint64),
		IsthmusTime: new(uint64),
		Optimism: &params.OptimismConfig{
			EIP1559Elasticity:        elasticity,
			EIP1559Denominator:       denominator,
			EIP1559DenominatorCanyon: &canyon,
		},
	}
	config.JovianTime = activation(timestamp, options.JovianOffset)
	config.KarstTime = activation(timestamp, options.KarstOffset)
	config.OsakaTime = config.KarstTime
	return config
}

// activation turns an offset in seconds after genesis into a fork time: 0 is
// "since ever" as configurations write it, a negative offset is never.
func activation(genesisTime uint64, offset int64) *uint64 {
	switch {
	case offset < 0:
		return nil
	case offset == 0:
		return new(uint64)
	default:
		at := genesisTime + uint64(offset)
		return &at
	}
}

// extraData encodes the EIP-1559 parameters as a header of the genesis fork has them.
func extraData(options Options) hexutil.Bytes {
	data := make([]byte, 9, 17)
	binary.BigEndian.PutUint32(data[1:], denominatorCanyon)
	binary.BigEndian.PutUint32(data[5:], elasticity)
	if options.JovianOffset == 0 {
		data[0] = 1
		data = binary.BigEndian.AppendUint64(data, 0) // minimum base fee
	}
	return data
}
