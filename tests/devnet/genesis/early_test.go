package genesis

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum/go-ethereum/core"
)

func TestEarlyChainsBeginWithTheirFork(t *testing.T) {
	const now, start = 1_700_000_000, 20
	for name, options := range map[string]EarlyOptions{
		"Bedrock": {Regolith: 10, Canyon: 20, Ecotone: -1, Fjord: -1},
		"Canyon":  {Ecotone: 10, Fjord: 20},
		"Fjord":   {},
	} {
		options.BlockTimeSeconds, options.GasLimit, options.StartSeconds = 1, 30_000_000, start
		folder := t.TempDir()
		if err := WriteEarly(folder, time.Unix(now, 0), options); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var l2 core.Genesis
		var config rollup.Config
		for file, into := range map[string]any{L2GenesisFile: &l2, RollupFile: &config} {
			text, err := os.ReadFile(filepath.Join(folder, file))
			if err == nil {
				err = json.Unmarshal(text, into)
			}
			if err != nil {
				t.Fatalf("%s: %s: %v", name, file, err)
			}
		}
		if err := config.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		header := l2.ToBlock().Header()
		if header.Hash() != config.Genesis.L2.Hash || header.Time != now+start || config.Genesis.L2Time != now+start {
			t.Errorf("%s: the genesis of %s is not that of %s", name, RollupFile, L2GenesisFile)
		}
		for field, at := range map[string]struct{ is, want bool }{
			"withdrawals":   {header.WithdrawalsHash != nil, options.Canyon == 0},
			"blob gas":      {header.ExcessBlobGas != nil, options.Ecotone == 0},
			"beacon root":   {header.ParentBeaconRoot != nil, options.Ecotone == 0},
			"requests":      {header.RequestsHash != nil, false},
			"extra data":    {len(header.Extra) > 0, false},
			"Ecotone fees":  {config.Genesis.SystemConfig.Scalar[0] == 1, options.Ecotone == 0},
			"Canyon's time": {config.CanyonTime != nil && *config.CanyonTime == now+start+20, name == "Bedrock"},
		} {
			if at.is != at.want {
				t.Errorf("%s: %s: %v, want %v", name, field, at.is, at.want)
			}
		}
	}
}

func TestForksOfEarlyChainsAreInOrder(t *testing.T) {
	for _, options := range []EarlyOptions{
		{Regolith: 2, Canyon: 1, Ecotone: 3, Fjord: 4},
		{Canyon: -1, Ecotone: 3, Fjord: 4},
		{Ecotone: 3, Fjord: 2},
	} {
		options.BlockTimeSeconds, options.GasLimit = 1, 1
		if err := WriteEarly(t.TempDir(), time.Now(), options); err == nil {
			t.Errorf("%+v is taken", options)
		}
	}
}
