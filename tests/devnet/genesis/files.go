package genesis

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Names of the files that Write leaves in its folder.
const (
	L1GenesisFile     = "l1-genesis.json"
	L1ChainConfigFile = "l1-chain-config.json"
	L2GenesisFile     = "l2-genesis.json"
	RollupFile        = "rollup.json"
)

// Options says what chain to make. Offsets are in seconds after genesis: 0
// activates the fork at genesis, a negative one never.
type Options struct {
	// BlockTimeSeconds is the L2 block time, at least 1.
	BlockTimeSeconds uint64
	// JovianOffset is when Jovian activates. Isthmus and all before are active at genesis.
	JovianOffset int64
	// KarstOffset is when Karst activates, not before Jovian.
	KarstOffset int64
	// GasLimit is the L2 block gas limit.
	GasLimit uint64
}

// DefaultOptions is an Isthmus chain with a block a second.
func DefaultOptions() Options {
	return Options{BlockTimeSeconds: 1, JovianOffset: -1, KarstOffset: -1, GasLimit: 60_000_000}
}

func (o Options) check() error {
	switch {
	case o.BlockTimeSeconds == 0:
		return fmt.Errorf("block time: 0 s, at least 1 s is needed")
	case o.KarstOffset >= 0 && (o.JovianOffset < 0 || o.JovianOffset > o.KarstOffset):
		return fmt.Errorf("fork order: Karst at %d s needs Jovian before it, got %d s", o.KarstOffset, o.JovianOffset)
	case o.GasLimit == 0:
		return fmt.Errorf("gas limit: 0")
	}
	return nil
}

// Write makes both chains start at now and writes their files into folder.
func Write(folder string, now time.Time, options Options) error {
	if err := options.check(); err != nil {
		return err
	}
	timestamp := uint64(now.Unix())
	l1, err := L1(timestamp)
	if err != nil {
		return fmt.Errorf("L1 genesis: %w", err)
	}
	l2, err := L2(timestamp, options)
	if err != nil {
		return fmt.Errorf("L2 genesis: %w", err)
	}
	config, err := Rollup(l1, l2, options)
	if err != nil {
		return fmt.Errorf("rollup configuration: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return writeFiles(folder, map[string]any{
		L1GenesisFile:     l1,
		L1ChainConfigFile: l1.Config,
		L2GenesisFile:     l2,
		RollupFile:        config,
	})
}

func writeFiles(folder string, files map[string]any) error {
	for name, value := range files {
		text, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}
