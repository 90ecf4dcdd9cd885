package network

import (
	"context"
	"encoding/hex"

	"github.com/ethereum/go-ethereum/crypto"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/process"
)

// batcherSpec is an op-batcher that posts quickly, in calldata.
func (d *Devnet) batcherSpec() (process.Spec, error) {
	key, err := genesis.Key(genesis.Batcher)
	if err != nil {
		return process.Spec{}, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return process.Spec{}, err
	}
	return process.Spec{
		Name:    "op-batcher",
		Program: d.config.Programs.OpBatcher,
		LogFile: d.files.log("op-batcher.log"),
		Args: []string{
			"--l1-eth-rpc=" + d.L1.HTTP(), "--l2-eth-rpc=" + d.Engine.HTTP(), "--rollup-rpc=" + d.Node.HTTP(),
			"--private-key=0x" + hex.EncodeToString(crypto.FromECDSA(key)),
			"--data-availability-type=calldata", "--max-channel-duration=1", "--sub-safety-margin=4",
			"--poll-interval=1s", "--num-confirmations=1", "--txmgr.receipt-query-interval=500ms",
			"--rpc.addr=" + loopback, "--rpc.port=" + ports[0], "--log.level=debug",
		},
	}, nil
}

// StartBatcher starts posting batches to L1.
func (d *Devnet) StartBatcher(ctx context.Context) error {
	spec, err := d.batcherSpec()
	if err != nil {
		return err
	}
	d.batcher, err = process.Start(spec)
	return err
}

// StopBatcher lets the batcher post what it has and waits for its end.
func (d *Devnet) StopBatcher() error { return d.batcher.Stop(stopPatience) }
