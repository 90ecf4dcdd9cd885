package genesis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum/go-ethereum/params"
)

// EarlyOptions says what chain to make that begins before Isthmus and never
// comes to Granite. Offsets are as in Options, from the L2 genesis on. Delta activates with Ecotone.
type EarlyOptions struct {
	// BlockTimeSeconds is the L2 block time, at least 1.
	BlockTimeSeconds uint64
	// StartSeconds is how long after the L1 the L2 begins: time to start what
	// makes the chain, so that it need not run after the clock.
	StartSeconds uint64
	// Offsets of the forks after Bedrock, in their order.
	Regolith, Canyon, Ecotone, Fjord int64
	// GasLimit is the L2 block gas limit.
	GasLimit uint64
}

func (o EarlyOptions) check() error {
	if o.BlockTimeSeconds == 0 || o.GasLimit == 0 {
		return errors.New("block time or gas limit: 0")
	}
	before := int64(0)
	for _, offset := range []int64{o.Regolith, o.Canyon, o.Ecotone, o.Fjord} {
		if before < 0 && offset >= 0 || offset >= 0 && offset < before {
			return fmt.Errorf("fork order: %d s after %d s", offset, before)
		}
		before = offset
	}
	return nil
}

// WriteEarly is Write for an early chain. Its predeploys are the late ones:
// those of Isthmus understand the L1 attributes of every fork before.
func WriteEarly(folder string, now time.Time, options EarlyOptions) error {
	if err := options.check(); err != nil {
		return err
	}
	timestamp := uint64(now.Unix()) + options.StartSeconds
	l1, err := L1(uint64(now.Unix()))
	if err != nil {
		return fmt.Errorf("L1 genesis: %w", err)
	}
	late := DefaultOptions()
	late.BlockTimeSeconds, late.GasLimit = options.BlockTimeSeconds, options.GasLimit
	l2, err := L2(timestamp, late)
	if err != nil {
		return fmt.Errorf("L2 genesis: %w", err)
	}
	l2.Config = options.chainConfig(l2.Config, timestamp)
	l2.ExtraData = nil
	if options.Ecotone != 0 { // op-geth's genesis header has what is given, whatever the fork
		l2.BlobGasUsed, l2.ExcessBlobGas = nil, nil
	}
	rollupConfig, err := Rollup(l1, l2, late)
	if err != nil {
		return fmt.Errorf("rollup configuration: %w", err)
	}
	if options.Ecotone != 0 {
		system := &rollupConfig.Genesis.SystemConfig
		system.Overhead, system.Scalar = earlyScalars()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return writeFiles(folder, map[string]any{
		L1GenesisFile: l1, L1ChainConfigFile: l1.Config, L2GenesisFile: l2, RollupFile: rollupConfig,
	})
}

// chainConfig is late with the forks' times changed.
func (o EarlyOptions) chainConfig(late *params.ChainConfig, timestamp uint64) *params.ChainConfig {
	config := *late
	config.RegolithTime = activation(timestamp, o.Regolith)
	config.CanyonTime = activation(timestamp, o.Canyon)
	config.EcotoneTime = activation(timestamp, o.Ecotone)
	config.FjordTime = activation(timestamp, o.Fjord)
	config.ShanghaiTime, config.CancunTime, config.PragueTime = config.CanyonTime, config.EcotoneTime, nil
	config.GraniteTime, config.HoloceneTime, config.IsthmusTime = nil, nil, nil
	return &config
}

// earlyScalars are the fee parameters of L1 data before Ecotone, those that
// chains began with.
func earlyScalars() (overhead, scalar eth.Bytes32) {
	const gasOverhead, feeScalarMillionths = 188, 684_000
	binary.BigEndian.PutUint64(overhead[24:], gasOverhead)
	binary.BigEndian.PutUint64(scalar[24:], feeScalarMillionths)
	return overhead, scalar
}
