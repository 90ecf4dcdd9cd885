package network

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	"blockwright.test/devnet/genesis"
)

// gossip is how an op-node takes part in the gossip of unsafe blocks.
type gossip struct {
	port string
	// peer is the address of the one peer that it looks for; empty where it is looked for.
	peer string
}

// gossipArgs are op-node's arguments. A sequencer signs the blocks that it publishes.
func (n *OpNode) gossipArgs() ([]string, error) {
	if n.gossip == nil {
		return []string{"--p2p.disable"}, nil
	}
	args := []string{
		// Otherwise the default ones are looked up, discovery or not.
		"--p2p.bootnodes=,",
		"--p2p.listen.ip=" + loopback, "--p2p.listen.tcp=" + n.gossip.port, "--p2p.no-discovery",
		"--p2p.priv.path=" + n.files.config(n.name+"-p2p.txt"),
		"--p2p.peerstore.path=memory", "--p2p.discovery.path=memory",
	}
	if n.gossip.peer != "" {
		args = append(args, "--p2p.static="+n.gossip.peer)
	}
	if n.sequencer {
		key, err := genesis.Key(genesis.Publisher)
		if err != nil {
			return nil, err
		}
		args = append(args, "--p2p.sequencer.key="+hex.EncodeToString(crypto.FromECDSA(key)))
	}
	return args, nil
}

// PeerAddress is where other op-nodes find this one.
func (n *OpNode) PeerAddress(ctx context.Context) (string, error) {
	var self struct {
		Addresses []string `json:"addresses"`
	}
	if err := n.call(ctx, &self, "opp2p_self"); err != nil {
		return "", err
	}
	if len(self.Addresses) == 0 {
		return "", fmt.Errorf("%s has no address for its peers", n.name)
	}
	return self.Addresses[0], nil
}
