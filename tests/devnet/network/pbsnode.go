package network

import (
	"context"
	"encoding/hex"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/process"
)

// accounts are who the parts act for.
type accounts struct {
	proposer, builder common.Address
	// Keys as op-node takes them.
	proposerKey, publisherKey string
}

func newAccounts() (a accounts, err error) {
	for index, into := range map[uint64]*common.Address{genesis.Proposer: &a.proposer, genesis.Builder: &a.builder} {
		if *into, err = genesis.Address(index); err != nil {
			return a, err
		}
	}
	for index, into := range map[uint64]*string{genesis.Proposer: &a.proposerKey, genesis.Publisher: &a.publisherKey} {
		key, err := genesis.Key(index)
		if err != nil {
			return a, err
		}
		*into = hex.EncodeToString(crypto.FromECDSA(key))
	}
	return a, nil
}

// PBSNode is an op-node with the builder API.
type PBSNode struct {
	files   layout
	name    string
	port    string // of its RPC
	process *process.Process
}

// startNode starts an op-node and returns once its RPC answers.
func (p *PBS) startNode(ctx context.Context, name string, engine Engine, more []string) (*PBSNode, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	n := &PBSNode{files: p.files, name: name, port: ports[0]}
	n.process, err = process.Start(process.Spec{
		Name: name, Program: p.config.OpNode, LogFile: n.LogFile(),
		Args: append([]string{
			"--l1=" + p.L1.HTTP(), "--l1.rpckind=basic", "--l1.trustrpc", "--l1.beacon.ignore",
			"--l1.http-poll-interval=500ms", "--l1.epoch-poll-interval=4s",
			"--rollup.config=" + p.files.config(genesis.RollupFile), "--rollup.load-protocol-versions=false",
			"--l2=" + engine.Auth(), "--l2.jwt-secret=" + p.files.jwt(),
			// The builder has to choose the L1 origin that the proposer would.
			"--verifier.l1-confs=0", "--sequencer.l1-confs=0",
			"--p2p.listen.ip=" + loopback, "--p2p.no-discovery", "--p2p.priv.path=" + p.files.data(name+"-p2p.txt"),
			"--p2p.peerstore.path=memory", "--p2p.discovery.path=memory", "--p2p.scoring=none",
			"--eventstream.addr=" + loopback, "--rpc.addr=" + loopback, "--rpc.port=" + n.port,
			"--rpc.enable-admin", "--log.level=debug", "--log.format=json",
		}, more...),
	})
	if err != nil {
		return nil, err
	}
	return n, Await(ctx, name, func(ctx context.Context) error {
		var status eth.SyncStatus
		return n.call(ctx, &status, "optimism_syncStatus")
	}, n.process)
}

func (n *PBSNode) call(ctx context.Context, result any, method string, args ...any) error {
	client, err := rpc.DialContext(ctx, httpURL(n.port))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.CallContext(ctx, result, method, args...)
}

// LogFile holds what it logs, as JSON lines.
func (n *PBSNode) LogFile() string { return n.files.log(n.name + ".log") }

// Process is the running process.
func (n *PBSNode) Process() *process.Process { return n.process }
