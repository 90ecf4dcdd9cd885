package genesis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum/go-ethereum/common"
)

func TestUpgradesAtGenesisChangeThePredeploys(t *testing.T) {
	// Where a proxy keeps the address of its implementation (EIP-1967).
	slot := common.HexToHash("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc")
	seen := make(map[common.Hash]string)
	for name, offsets := range map[string][2]int64{"Isthmus": {-1, -1}, "Jovian": {0, -1}, "Karst": {0, 0}} {
		options := DefaultOptions()
		options.JovianOffset, options.KarstOffset = offsets[0], offsets[1]
		l2, err := L2(1_700_000_000, options)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		implementation := l2.Alloc[predeploys.L1BlockAddr].Storage[slot]
		if other, taken := seen[implementation]; taken {
			t.Errorf("L1Block of %s is that of %s: %s", name, other, implementation)
		}
		seen[implementation] = name
		if len(l2.Alloc[common.BytesToAddress(implementation[:])].Code) == 0 {
			t.Errorf("%s: no code at L1Block's implementation %s", name, implementation)
		}
	}
}

func TestGenesisIsReproducible(t *testing.T) {
	options := DefaultOptions()
	options.JovianOffset, options.KarstOffset = 0, 0
	var texts [2]string
	for index := range texts {
		folder := t.TempDir()
		if err := Write(folder, time.Unix(1_700_000_000, 0), options); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(folder, RollupFile)) // it holds both genesis hashes
		if err != nil {
			t.Fatal(err)
		}
		texts[index] = string(text)
	}
	if texts[0] != texts[1] {
		t.Errorf("two runs differ:\n%s\n%s", texts[0], texts[1])
	}
}

func TestImpossibleOptionsAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"block time": func(o *Options) { o.BlockTimeSeconds = 0 },
		"fork order": func(o *Options) { o.JovianOffset, o.KarstOffset = 9, 8 },
		"gas limit":  func(o *Options) { o.GasLimit = 0 },
	} {
		options := DefaultOptions()
		change(&options)
		err := Write(t.TempDir(), time.Now(), options)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v", want, err)
		}
	}
}
