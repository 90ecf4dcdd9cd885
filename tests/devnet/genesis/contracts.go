package genesis

import (
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
)

// Addresses of the two L1 contracts that derivation listens to.
var (
	PortalAddress       = common.HexToAddress("0xbe11000000000000000000000000000000000001")
	SystemConfigAddress = common.HexToAddress("0xbe11000000000000000000000000000000000002")
)

// Offsets in the calldata of depositTransaction(address,uint256,uint64,bool,bytes),
// with the bytes where the ABI encoding of every client puts them.
const (
	argTo         = 4
	argValue      = argTo + 32
	argGasLimit   = argValue + 32
	argIsCreation = argGasLimit + 32
	argDataLength = argIsCreation + 64
	argData       = argDataLength + 32
)

// The opaque data of a deposit event: mint, value, gas limit, is-creation, calldata, packed.
const (
	packedHeader = 32 + 32 + 8 + 1
	logHeader    = 64
)

// portalCode answers depositTransaction of the OptimismPortal, whatever the
// selector says: it keeps the ether and logs TransactionDeposited. The sender
// is not aliased, so only externally owned accounts should call it.
func portalCode() []byte {
	p := program.New()
	// Memory from 0 is abi.encode(bytes): the offset, the length, the packed data.
	p.Push(32).Push(0).Op(vm.MSTORE)
	p.Push(argDataLength).Op(vm.CALLDATALOAD).Push(packedHeader).Op(vm.ADD).Push(32).Op(vm.MSTORE)
	p.Op(vm.CALLVALUE).Push(logHeader).Op(vm.MSTORE)
	p.Push(argValue).Op(vm.CALLDATALOAD).Push(logHeader + 32).Op(vm.MSTORE)
	p.Push(argGasLimit).Op(vm.CALLDATALOAD).Push(192).Op(vm.SHL).Push(logHeader + 64).Op(vm.MSTORE)
	p.Push(argIsCreation).Op(vm.CALLDATALOAD).Push(logHeader + 72).Op(vm.MSTORE8)
	p.Push(argDataLength).Op(vm.CALLDATALOAD).Push(argData).Push(logHeader + packedHeader).Op(vm.CALLDATACOPY)

	// The topics, last one first: version 0, to, from, the event.
	p.Push(0)
	p.Push(argTo).Op(vm.CALLDATALOAD)
	p.Op(vm.CALLER)
	p.Push(derive.DepositEventABIHash.Bytes())
	// The size, rounded up to whole words.
	p.Push(argDataLength).Op(vm.CALLDATALOAD).Push(packedHeader + 31).Op(vm.ADD)
	p.Push(5).Op(vm.SHR).Push(5).Op(vm.SHL).Push(logHeader).Op(vm.ADD)
	p.Push(0).Op(vm.LOG4, vm.STOP)
	return p.Bytes()
}

// systemConfigCode logs ConfigUpdate. Its calldata is the update type as one
// word, then the event's data as it is: abi.encode(bytes). Anyone may call it.
func systemConfigCode() []byte {
	p := program.New()
	p.Push(32).Op(vm.CALLDATASIZE, vm.SUB) // size of the data
	p.Op(vm.DUP1).Push(32).Push(0).Op(vm.CALLDATACOPY)
	// The topics, last one first: update type, version 0, the event.
	p.Push(0).Op(vm.CALLDATALOAD)
	p.Push(0)
	p.Push(derive.ConfigUpdateEventABIHash.Bytes())
	// LOG3 wants offset, size, event, version, type: fetch the size from below.
	p.Op(vm.DUP4).Push(0).Op(vm.LOG3, vm.STOP)
	return p.Bytes()
}
