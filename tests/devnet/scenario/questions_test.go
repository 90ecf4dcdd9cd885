package scenario

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"blockwright.test/devnet/genesis"
)

// Contracts of simulations, put in place by overrides.
const (
	environment = "0x00000000000000000000000000000000000d0001" // returns what the block says of itself
	blockHashes = "0x00000000000000000000000000000000000d0002" // BLOCKHASH(calldata)
	logger      = "0x00000000000000000000000000000000000d0003" // logs a word under topic 7
	reverter    = "0x00000000000000000000000000000000000d0004" // reverts with Error("nope")
	silent      = "0x00000000000000000000000000000000000d0005" // reverts with nothing
	endless     = "0x00000000000000000000000000000000000d0006" // burns all gas
	forwarder   = "0x00000000000000000000000000000000000d0007" // sends its value to calldata, then logs
	destroyed   = "0x00000000000000000000000000000000000d0008" // destroys itself in favour of calldata
	factory     = "0x00000000000000000000000000000000000d0009" // creates an empty contract with its value
	store       = "0x00000000000000000000000000000000000d000a" // SSTORE(calldata[0], calldata[32])
	load        = "0x00000000000000000000000000000000000d000b" // returns SLOAD(calldata)
	balances    = "0x00000000000000000000000000000000000d000c" // returns BALANCE(calldata)
	lost        = "0x00000000000000000000000000000000000d000d" // jumps to nowhere
	invalid     = "0x00000000000000000000000000000000000d000e" // INVALID
	nobody      = "0x00000000000000000000000000000000000dffff"
)

// Contracts of the protocol.
const (
	beaconRoots = "0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02"
	history     = "0x0000F90827F1C53a10cb7A02335B175320002935"
	l1Block     = "0x4200000000000000000000000000000000000015"
	messages    = "0x4200000000000000000000000000000000000016"
	sha256      = "0x0000000000000000000000000000000000000002"
	identity    = "0x0000000000000000000000000000000000000004"
)

const nope = "08c379a0" +
	"0000000000000000000000000000000000000000000000000000000000000020" +
	"0000000000000000000000000000000000000000000000000000000000000004" +
	"6e6f706500000000000000000000000000000000000000000000000000000000"

var codes = map[string]string{
	environment: "0x436000524260205245604052416060524460805248" + "60a0524a60c0524660e0526101006000f3",
	blockHashes: "0x6000354060005260206000f3",
	logger:      "0x602a600052600760206000a100",
	reverter:    "0x6064600c60003960646000fd" + nope,
	silent:      "0x60006000fd",
	endless:     "0x5b600056",
	forwarder:   "0x6000600060006000346000355af150602a600052600760206000a100",
	destroyed:   "0x600035ff",
	factory:     "0x6000600034f000",
	store:       "0x6020356000355500",
	load:        "0x6000355460005260206000f3",
	balances:    "0x6000353160005260206000f3",
	lost:        "0x600156",
	invalid:     "0xfe",
}

// object is a JSON object.
type object = map[string]any

// question is one request of both nodes.
type question struct {
	name   string
	method string
	first  any   // the first parameter; the block follows
	more   []any // the others
	code   int   // of the error; 0 for a result
	theirs int   // op-geth's code, where it is another
	says   string
}

// simulationBase is the block that simulations build on.
type simulationBase struct{ number, time uint64 }

// contracts are the overrides that put all contracts in place. They also set
// the operator fee to zero: op-geth does not charge it to simulated calls, but
// gives back what it did not charge for unused gas.
func contracts() object {
	const operatorFee = 8 // slot
	all := object{l1Block: object{"stateDiff": object{word(operatorFee): word(0)}}}
	for address, code := range codes {
		all[address] = object{"code": code}
	}
	return all
}

func questions(t *testing.T, base simulationBase) []question {
	t.Helper()
	rich, err := genesis.Address(8)
	must(t, err)
	from := rich.Hex()
	var all []question
	for _, some := range [][]question{
		successes(base, from), transfers(from), overridden(base, from), validated(from), refusals(base, from), calls(base, from),
	} {
		all = append(all, some...)
	}
	return all
}

// simulation asks for a result.
func simulation(name string, options object, blocks ...object) question {
	payload := object{"blockStateCalls": blocks}
	for option, value := range options {
		payload[option] = value
	}
	return question{name: name, method: "eth_simulateV1", first: payload}
}

// refused asks for an error.
func refused(code int, q question) question {
	q.code = code
	return q
}

func call(from, to string, more ...object) object {
	message := object{"from": from, "to": to}
	for _, fields := range more {
		for field, value := range fields {
			message[field] = value
		}
	}
	return message
}

func input(words ...string) object {
	data := "0x"
	for _, w := range words {
		data += w[2:]
	}
	return object{"input": data}
}

func value(wei uint64) object { return object{"value": hexutil.EncodeUint64(wei)} }

func block(calls ...object) object { return object{"calls": calls} }

// withContracts is the first block of most simulations.
func withContracts(calls ...object) object {
	return object{"calls": calls, "stateOverrides": contracts()}
}

func successes(base simulationBase, from string) []question {
	return []question{
		simulation("nothing", nil, object{}),
		simulation("transfers in two blocks", nil,
			block(call(from, nobody, value(1)), call(from, nobody, value(2))), block(call(nobody, from, value(3)))),
		simulation("logs, blooms and receipts", nil,
			withContracts(call(from, logger), call(from, nobody), call(from, logger)), block(call(from, logger))),
		simulation("calls that fail", nil,
			withContracts(call(from, reverter), call(from, silent), call(from, endless, object{"gas": "0x7530"}),
				call(from, lost, object{"gas": "0x7530"}), call(from, invalid, object{"gas": "0x7530"}), call(from, logger))),
		simulation("creation", nil,
			block(object{"from": from, "value": "0x5", "input": "0x600a600c600039600a6000f3602a60005260206000f3"})),
		simulation("refunds and the most gas", nil,
			withContracts(call(from, store, input(word(1), word(7)))), block(call(from, store, input(word(1), word(0))))),
		simulation("floor price of data", nil, block(call(from, nobody, input(word(1<<40), word(1<<50))))),
		simulation("hashes of ancestors", nil,
			withContracts(call(from, blockHashes, input(word(base.number))), call(from, blockHashes, input(word(base.number+1)))),
			block(call(from, blockHashes, input(word(base.number+1))), call(from, history, input(word(base.number+1)))),
			object{"blockOverrides": object{"number": hexNumber(base.number + 9)}, "calls": []object{
				call(from, blockHashes, input(word(base.number+5))), call(from, blockHashes, input(word(base.number+8))),
				call(from, blockHashes, input(word(base.number+9)))}}),
		simulation("256 blocks", nil, object{"blockOverrides": object{"number": hexNumber(base.number + 256)}}),
		simulation("fees are paid", nil,
			object{
				"blockOverrides": object{"baseFeePerGas": "0x64", "feeRecipient": nobody}, "stateOverrides": contracts(),
				"calls": []object{
					call(from, nobody, object{"maxFeePerGas": "0xc8", "maxPriorityFeePerGas": "0xa"}),
					call(from, nobody, object{"gasPrice": "0x6e"}),
					call(from, balances, input(wordOf(nobody))),
					call(from, balances, input(wordOf("0x4200000000000000000000000000000000000019"))),
					call(from, balances, input(wordOf(from))),
				},
			}),
		simulation("whole transactions", object{"returnFullTransactions": true},
			object{"blockOverrides": object{"baseFeePerGas": "0x64"}, "stateOverrides": contracts(), "calls": []object{
				call(from, nobody, value(1)),
				call(from, nobody, object{"gasPrice": "0x6e", "gas": "0x5208"}),
				call(from, nobody, object{"maxFeePerGas": "0x6e", "maxPriorityFeePerGas": "0x1", "gas": "0xffff",
					"accessList": []object{{"address": nobody, "storageKeys": []string{word(3)}}}}),
				{"from": from, "input": "0x00", "nonce": "0x63"},
			}}),
		simulation("the message passer's root", nil,
			object{"stateOverrides": object{messages: object{"stateDiff": object{word(5): word(6)}}}}),
	}
}

func transfers(from string) []question {
	traced := object{"traceTransfers": true}
	return []question{
		simulation("ether among the logs", traced,
			withContracts(
				call(from, nobody, value(1)),
				call(from, forwarder, value(2), input(wordOf(nobody))),
				call(from, forwarder, value(3), input(wordOf(logger))),
				call(from, factory, value(4)),
				call(from, destroyed, value(5), input(wordOf(nobody))),
				call(from, sha256, value(6)),
				object{"from": from, "value": "0x7", "input": "0x00"},
				call(from, nobody)),
			block(call(nobody, from, value(1)))),
		simulation("ether that comes back", traced,
			withContracts(call(from, reverter, value(8))), block(call(from, silent, value(9)))),
		simulation("no ether among the logs", nil, withContracts(call(from, forwarder, value(2), input(wordOf(logger))))),
	}
}

func overridden(base simulationBase, from string) []question {
	return []question{
		simulation("the block's fields", nil,
			object{"stateOverrides": contracts(), "calls": []object{call(from, environment)}, "blockOverrides": object{
				"number": hexNumber(base.number + 3), "time": hexNumber(base.time + 1000), "gasLimit": "0x1c9c380",
				"feeRecipient": nobody, "prevRandao": word(77), "baseFeePerGas": "0x9", "blobBaseFee": "0x11",
			}},
			block(call(from, environment))),
		simulation("the beacon root", nil,
			object{"blockOverrides": object{"time": hexNumber(base.time + 12), "beaconRoot": word(88)},
				"calls": []object{call(from, beaconRoots, input(word(base.time+12)))}}),
		simulation("balance, nonce and code", object{"returnFullTransactions": true},
			object{"stateOverrides": object{
				nobody:      object{"balance": "0x64", "nonce": "0x9"},
				logger:      object{"code": codes[logger], "balance": "0x1"},
				beaconRoots: object{"nonce": "0x2"},
			}, "calls": []object{call(nobody, logger, value(3)), call(nobody, logger, value(4))}}),
		simulation("slots and storage", nil,
			object{"stateOverrides": object{
				load:  object{"code": codes[load], "stateDiff": object{word(1): word(11), word(2): word(12)}},
				store: object{"code": codes[store]},
			}, "calls": []object{call(from, load, input(word(1))), call(from, load, input(word(2)))}},
			object{"stateOverrides": object{load: object{"state": object{word(2): word(22)}}},
				"calls": []object{call(from, load, input(word(1))), call(from, load, input(word(2)))}},
			object{"stateOverrides": object{load: object{"stateDiff": object{word(2): word(0), word(3): word(33)}}},
				"calls": []object{call(from, load, input(word(2))), call(from, load, input(word(3)))}}),
		simulation("a precompile that moved", nil,
			object{"stateOverrides": object{
				sha256:   object{"movePrecompileToAddress": nobody, "code": codes[logger]},
				identity: object{"code": codes[load], "stateDiff": object{word(1): word(5)}},
			}, "calls": []object{
				call(from, nobody, input(word(1))), call(from, sha256, input(word(1))), call(from, identity, input(word(1)))}},
			block(call(from, nobody, input(word(1))), call(from, identity, input(word(1))))),
	}
}

func validated(from string) []question {
	checked := object{"validation": true}
	fees := object{"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"}
	return []question{
		simulation("checked", checked,
			withContracts(call(from, logger, fees), call(from, environment, fees), call(from, nobody, fees, value(1)))),
		simulation("checked with a base fee", checked,
			object{"blockOverrides": object{"baseFeePerGas": "0x7"}, "stateOverrides": contracts(), "calls": []object{call(from, nobody, fees)}},
			object{"blockOverrides": object{"baseFeePerGas": "0x0"}, "calls": []object{call(from, nobody)}}),
		refused(-38010, simulation("a used nonce", checked,
			object{"stateOverrides": object{from: object{"nonce": "0x5"}}, "calls": []object{call(from, nobody, fees, object{"nonce": "0x4"})}})),
		refused(-38011, simulation("a nonce to come", checked, block(call(from, nobody, fees, object{"nonce": "0x400"})))),
		refused(-32602, simulation("a fee cap below the base fee", checked, block(call(from, nobody)))),
		simulation("nonces do not count", nil, block(call(from, nobody, object{"nonce": "0x400"}), call(from, nobody, object{"nonce": "0x0"}))),
	}
}

func refusals(base simulationBase, from string) []question {
	number := func(n uint64) object { return object{"blockOverrides": object{"number": hexNumber(n)}} }
	at := func(time uint64) object { return object{"blockOverrides": object{"time": hexNumber(time)}} }
	initCode := "0x" + strings.Repeat("00", 49_153)
	return []question{
		refused(-32602, question{name: "no blocks", method: "eth_simulateV1", first: object{"blockStateCalls": []object{}}}),
		refused(-38020, simulation("numbers in disorder", nil, number(base.number+5), number(base.number+4))),
		refused(-38020, simulation("the base's own number", nil, number(base.number))),
		refused(-38021, simulation("times in disorder", nil, at(base.time+5), at(base.time+5))),
		refused(-38021, simulation("a gap without time", nil, at(base.time+1),
			object{"blockOverrides": object{"number": hexNumber(base.number + 4), "time": hexNumber(base.time + 3)}})),
		refused(-38026, simulation("257 blocks", nil, number(base.number+257))),
		refused(-38014, simulation("no funds", nil, block(call(nobody, from, value(1))))),
		refused(-38013, simulation("too little gas", nil, block(call(from, nobody, object{"gas": "0x5207"})))),
		refused(-38015, simulation("more gas than the block has", nil,
			object{"blockOverrides": object{"gasLimit": "0xea60"}, "calls": []object{
				call(from, nobody), call(from, nobody, object{"gas": "0xea60"})}})),
		refused(-38025, simulation("too much init code", nil, block(object{"from": from, "input": initCode}))),
		refused(-32602, simulation("a tip above the fee cap", nil,
			block(call(from, nobody, object{"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"})))),
		refused(-32000, simulation("not a precompile", nil,
			object{"stateOverrides": object{nobody: object{"movePrecompileToAddress": logger}}})),
		refused(-32000, simulation("a precompile onto an override", nil,
			object{"stateOverrides": object{sha256: object{"movePrecompileToAddress": nobody}, nobody: object{"nonce": "0x1"}}})),
	}
}

// calls are eth_call and eth_estimateGas with overrides of the block.
func calls(base simulationBase, from string) []question {
	everything := object{
		"number": hexNumber(base.number + 3), "time": hexNumber(base.time + 1000), "gasLimit": "0x1c9c380",
		"feeRecipient": nobody, "prevRandao": word(77), "baseFeePerGas": "0x9", "blobBaseFee": "0x11",
	}
	priced := call(from, environment, object{"gasPrice": "0x77359400", "gas": "0xffff"})
	moved := object{sha256: object{"movePrecompileToAddress": nobody}}
	return []question{
		{name: "eth_call in another block", method: "eth_call", first: call(from, environment), more: []any{contracts(), everything}},
		{name: "eth_call at a price", method: "eth_call", first: priced, more: []any{contracts(), everything}},
		{name: "eth_call of a moved precompile", method: "eth_call", first: call(from, nobody, input(word(1))), more: []any{moved}},
		{name: "eth_call of nothing at its place", method: "eth_call", first: call(from, sha256, input(word(1))), more: []any{moved}},
		{name: "eth_estimateGas in another block", method: "eth_estimateGas", first: call(from, nobody, value(1)), more: []any{contracts(), everything}},
		{name: "eth_call with a beacon root", method: "eth_call", first: call(from, environment), code: -32602,
			theirs: -32000, more: []any{contracts(), object{"beaconRoot": word(1)}}},
	}
}
