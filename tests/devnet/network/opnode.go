package network

import (
	"context"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"

	"blockwright.test/devnet/process"
)

// OpNode is an op-node on an L1 and an engine.
type OpNode struct {
	program   string
	files     layout
	name      string
	port      string
	l1        string
	engine    string // URL of the Engine API
	sequencer bool
	gossip    *gossip // nil keeps it to itself
	process   *process.Process
}

// Start runs it and returns once its RPC answers.
func (n *OpNode) Start(ctx context.Context) error {
	gossip, err := n.gossipArgs()
	if err != nil {
		return err
	}
	args := append(gossip,
		"--l1="+n.l1, "--l1.rpckind=basic", "--l1.trustrpc", "--l1.beacon.ignore",
		// The defaults are made for 12-second slots.
		"--l1.http-poll-interval=500ms", "--l1.epoch-poll-interval=4s",
		"--rollup.config="+n.files.config("rollup.json"),
		"--rollup.l1-chain-config="+n.files.config("l1-chain-config.json"),
		"--l2="+n.engine, "--l2.jwt-secret="+n.files.jwt(),
		"--verifier.l1-confs=0",
		"--rpc.addr="+loopback, "--rpc.port="+n.port, "--rpc.enable-admin",
		"--log.level=debug",
	)
	if n.sequencer {
		args = append(args, "--sequencer.enabled", "--sequencer.l1-confs=0")
	}
	n.process, err = process.Start(process.Spec{
		Name: n.name, Program: n.program, Args: args, LogFile: n.files.log(n.name + ".log"),
	})
	if err != nil {
		return err
	}
	return Await(ctx, n.name, func(ctx context.Context) error {
		_, err := n.SyncStatus(ctx)
		return err
	}, n.process)
}

// Stop ends it cleanly.
func (n *OpNode) Stop() error { return n.process.Stop(stopPatience) }

// Process is the running process.
func (n *OpNode) Process() *process.Process { return n.process }

// HTTP is the URL of its JSON-RPC.
func (n *OpNode) HTTP() string { return httpURL(n.port) }

// SyncStatus asks for the heads.
func (n *OpNode) SyncStatus(ctx context.Context) (*eth.SyncStatus, error) {
	var status eth.SyncStatus
	return &status, n.call(ctx, &status, "optimism_syncStatus")
}

// StopSequencer ends sequencing and returns the hash of the last block.
func (n *OpNode) StopSequencer(ctx context.Context) (head common.Hash, err error) {
	return head, n.call(ctx, &head, "admin_stopSequencer")
}

// StartSequencer goes on sequencing on head.
func (n *OpNode) StartSequencer(ctx context.Context, head common.Hash) error {
	return n.call(ctx, nil, "admin_startSequencer", head)
}

func (n *OpNode) call(ctx context.Context, result any, method string, args ...any) error {
	client, err := rpc.DialContext(ctx, n.HTTP())
	if err != nil {
		return err
	}
	defer client.Close()
	return client.CallContext(ctx, result, method, args...)
}
