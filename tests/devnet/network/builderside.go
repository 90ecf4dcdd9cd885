package network

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/ethereum/go-ethereum/crypto"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/process"
)

// BuilderConfig says who offers blocks to the sequencer.
type BuilderConfig struct {
	// Program is the executable of Blockwright.
	Program string
	// ProposerProgram is the executable of the proposer between op-node and the
	// engine. Without one the engine, Blockwright then, asks by itself.
	ProposerProgram string
}

// proposerTimeoutMS is how long op-node may wait for the builder's sake.
const proposerTimeoutMS = 300

// BuilderSide is a builder that is told the chain by an op-node of its own, and
// what to build by the proposer's stream of payload attributes.
type BuilderSide struct {
	Builder Engine
	// Node follows the chain by gossip.
	Node *OpNode
	// Wire leads from the proposer to the builder.
	Wire *Wire

	config   BuilderConfig
	files    layout
	api      string           // port of the builder API
	events   string           // port of the proposer's stream
	proposer *process.Process // nil where the engine asks by itself
	roots    *beaconRoots
}

// startBuilderSide starts all that the sequencer's side need not run for.
func startBuilderSide(ctx context.Context, config Config, files layout, l1 *L1) (*BuilderSide, error) {
	b := &BuilderSide{config: *config.Builder, files: files}
	ports, err := freePorts(4)
	if err != nil {
		return b, err
	}
	b.api, b.events = ports[0], ports[1]
	for name, account := range map[string]uint64{"builder": genesis.Builder, "proposer": genesis.Proposer} {
		if err := writeKey(files.config(name+".key"), account); err != nil {
			return b, err
		}
	}
	proposer, err := genesis.Address(genesis.Proposer)
	if err != nil {
		return b, err
	}
	builder, err := newBlockwright(b.config.Program, files, "builder")
	if err != nil {
		return b, err
	}
	builder.extra = []string{
		"--builder-api.port", b.api, "--builder-api.secp-key", files.config("builder.key"),
		"--builder-api.proposer", proposer.Hex(), "--builder-api.attributes-url", httpURL(b.events),
	}
	if b.config.ProposerProgram == "" {
		builder.extra = append(builder.extra, "--builder-api.disable-get-payload")
	}
	b.Builder = builder
	if err := builder.Start(ctx); err != nil {
		return b, err
	}
	if b.Wire, err = newWire(httpURL(b.api)); err != nil {
		return b, err
	}
	b.Node = &OpNode{
		program: config.Programs.OpNode, files: files, name: "builder-op-node", port: ports[2],
		l1: l1.HTTP(), engine: builder.Auth(), gossip: &gossip{port: ports[3]},
	}
	return b, b.Node.Start(ctx)
}

// engineArgs let Blockwright as the sequencer's engine ask the builder by itself.
func (b *BuilderSide) engineArgs() ([]string, error) {
	if b.config.ProposerProgram != "" {
		return nil, nil
	}
	builder, err := b.url()
	return []string{
		"--rollup.builder-url", builder, "--rollup.builder-key", b.files.config("proposer.key"),
		"--rollup.builder-timeout", fmt.Sprintf("%dms", proposerTimeoutMS),
		"--builder-api.events-port", b.events,
		// Why its own block is proposed although nothing is wrong is said here alone.
		"--log.filter", "info,blockwright_engine::rival=debug",
	}, err
}

// url is the builder's, with the address of the key that counts.
func (b *BuilderSide) url() (string, error) {
	address, err := genesis.Address(genesis.Builder)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(b.Wire.url)
	if err != nil {
		return "", err
	}
	at.User = url.User(address.Hex())
	return at.String(), nil
}

// startProposer puts the proposer, if there is one, before the engine, and
// returns the URL of the Engine API for op-node.
func (b *BuilderSide) startProposer(ctx context.Context, engine Engine) (string, error) {
	if b.config.ProposerProgram == "" {
		return engine.Auth(), nil
	}
	ports, err := freePorts(1)
	if err != nil {
		return "", err
	}
	builder, err := b.url()
	if err != nil {
		return "", err
	}
	config, err := json.Marshal(map[string]any{
		"listen": loopback + ":" + ports[0], "engine": engine.Auth(), "events": loopback + ":" + b.events,
		"genesis": b.files.config("l2-genesis.json"), "builder": builder,
		"key": b.files.config("proposer.key"), "timeout_ms": proposerTimeoutMS,
	})
	if err != nil {
		return "", err
	}
	file := b.files.config("proposer.json")
	if err := os.WriteFile(file, config, 0o644); err != nil {
		return "", err
	}
	b.proposer, err = process.Start(process.Spec{
		Name: "proposer", Program: b.config.ProposerProgram, Args: []string{file}, LogFile: b.files.log("proposer.log"),
	})
	if err != nil {
		return "", err
	}
	address := httpURL(ports[0])
	return address, Await(ctx, "proposer", listening(address), b.proposer)
}

// gossip is the sequencer's way to the builder's op-node.
func (b *BuilderSide) gossip(ctx context.Context) (*gossip, error) {
	peer, err := b.Node.PeerAddress(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	return &gossip{port: ports[0], peer: peer}, nil
}

// Lie makes the builder a liar from now on, whose blocks have a wrong state root
// and are in order otherwise, until the returned function is called.
func (b *BuilderSide) Lie() (stop func()) {
	b.Wire.tell(func(answer []byte) ([]byte, error) { return wrongState(answer, b.roots) })
	return func() { b.Wire.tell(nil) }
}

// listen follows the attributes, as a builder does, until ctx is over.
func (b *BuilderSide) listen(ctx context.Context) (err error) {
	b.roots, err = followAttributes(ctx, httpURL(b.events))
	return err
}

// processes are those that run, in the order in which they are to end.
func (b *BuilderSide) processes() []*process.Process {
	return []*process.Process{b.proposer, nodeProcess(b.Node), engineProcess(b.Builder)}
}

func writeKey(file string, account uint64) error {
	key, err := genesis.Key(account)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(hex.EncodeToString(crypto.FromECDSA(key))), 0o600)
}
