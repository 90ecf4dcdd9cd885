package genesis

import (
	"math/big"

	"github.com/ethereum-optimism/optimism/op-node/node/runcfg"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

// L1ChainID is the chain id that geth's dev mode uses.
const L1ChainID = 1337

const l1GasLimit = 60_000_000

// L1 returns the genesis of an L1 that geth's dev mode extends: Prague, the
// test accounts funded, and the two contracts that derivation listens to.
func L1(timestamp uint64) (*core.Genesis, error) {
	genesis := core.DeveloperGenesisBlock(l1GasLimit, nil)
	genesis.Timestamp = timestamp
	genesis.Config.ChainID = big.NewInt(L1ChainID)
	genesis.Config.OsakaTime = nil
	genesis.Config.BlobScheduleConfig.Osaka = nil
	if err := fund(genesis.Alloc); err != nil {
		return nil, err
	}
	genesis.Alloc[PortalAddress] = types.Account{Code: portalCode(), Balance: new(big.Int)}
	publisher, err := Address(Publisher)
	if err != nil {
		return nil, err
	}
	genesis.Alloc[SystemConfigAddress] = types.Account{
		Code: systemConfigCode(), Balance: new(big.Int),
		// op-node reads from here whose gossip to believe.
		Storage: map[common.Hash]common.Hash{
			runcfg.UnsafeBlockSignerAddressSystemConfigStorageSlot: common.BytesToHash(publisher.Bytes()),
		},
	}
	return genesis, nil
}
