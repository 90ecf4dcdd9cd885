package network

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/process"
	"blockwright.test/devnet/programs"
)

// l1BlockTimeSeconds is short, so that deposits and batches arrive soon.
const l1BlockTimeSeconds = 2

// Config says what devnet to run.
type Config struct {
	// Folder receives all files: configuration, data and logs.
	Folder string
	// Programs are the foreign executables.
	Programs programs.Programs
	// Engine is the L2 execution client under test.
	Engine EngineKind
	// EngineProgram is the executable of Blockwright; unused with op-geth.
	EngineProgram string
	// Genesis is the chain to make.
	Genesis genesis.Options
	// Sidecar, if there is one, stands between op-node and the engine.
	Sidecar *SidecarConfig
	// Builder, if there is one, offers the sequencer blocks. It excludes a sidecar.
	Builder *BuilderConfig
}

// Devnet is a running L1, an L2 engine and the op-node that sequences on it.
type Devnet struct {
	L1     *L1
	Engine Engine
	Node   *OpNode
	// Sidecar is nil unless the configuration asks for it.
	Sidecar *Sidecar
	// BuilderSide is nil unless the configuration asks for a builder.
	BuilderSide *BuilderSide

	config    Config
	files     layout
	batcher   *process.Process
	followers []*Follower
	judges    []Engine
	bridges   []*payloadBridge
}

// Follower is an op-node that derives the chain from L1 into an engine of its own.
type Follower struct {
	Engine Engine
	Node   *OpNode
}

// Start makes a new chain and starts everything but the batcher. Stop has to
// be called even when Start fails.
func Start(ctx context.Context, config Config) (*Devnet, error) {
	d, err := prepare(config)
	if err != nil {
		return d, err
	}
	d.L1, err = startL1(ctx, config.Programs.Geth, d.files, strconv.Itoa(l1BlockTimeSeconds))
	if err != nil {
		return d, err
	}
	if config.Builder != nil {
		if d.BuilderSide, err = startBuilderSide(ctx, config, d.files, d.L1); err != nil {
			return d, err
		}
	}
	d.Engine, d.Node, err = d.startPair(ctx, "sequencer", true)
	return d, err
}

// StartEngine makes a new chain and starts an engine on its genesis, with
// neither L1 nor op-node. Stop has to be called even when it fails.
func StartEngine(ctx context.Context, config Config) (*Devnet, error) {
	d, err := prepare(config)
	if err != nil {
		return d, err
	}
	if d.Engine, err = newEngine(ctx, config, d.files, "engine"); err != nil {
		return d, err
	}
	return d, d.Engine.Start(ctx)
}

// prepare writes the files of a new chain.
func prepare(config Config) (*Devnet, error) {
	d := &Devnet{config: config}
	var err error
	if d.files, err = newLayout(config.Folder); err != nil {
		return d, err
	}
	if err := genesis.Write(d.files.config(""), time.Now(), config.Genesis); err != nil {
		return d, err
	}
	return d, writeJWTSecret(d.files.jwt())
}

// AddFollower starts a second engine of the kind under test with an op-node
// that derives the chain from the batches on L1.
func (d *Devnet) AddFollower(ctx context.Context) (*Follower, error) {
	name := fmt.Sprintf("follower-%d", len(d.followers)+1)
	follower := &Follower{}
	d.followers = append(d.followers, follower)
	var err error
	follower.Engine, follower.Node, err = d.startPair(ctx, name, false)
	return follower, err
}

// AddJudge starts an op-geth on the same genesis, without an op-node.
func (d *Devnet) AddJudge(ctx context.Context) (Engine, error) {
	name := fmt.Sprintf("judge-%d", len(d.judges)+1)
	judge, err := newOpGeth(ctx, d.config.Programs.Geth, d.files, name)
	if err != nil {
		return nil, err
	}
	d.judges = append(d.judges, judge)
	return judge, judge.Start(ctx)
}

// startPair starts an engine, and an op-node on it. Both are returned as far
// as they came, so that they can be stopped.
func (d *Devnet) startPair(ctx context.Context, name string, sequencer bool) (Engine, *OpNode, error) {
	var extra []string
	var err error
	if sequencer && d.BuilderSide != nil {
		if extra, err = d.BuilderSide.engineArgs(); err != nil {
			return nil, nil, err
		}
	}
	engine, err := newEngine(ctx, d.config, d.files, name, extra...)
	if err != nil {
		return nil, nil, err
	}
	if err := engine.Start(ctx); err != nil {
		return engine, nil, err
	}
	auth, err := d.before(ctx, engine, sequencer)
	if err != nil {
		return engine, nil, err
	}
	var peers *gossip
	if sequencer && d.BuilderSide != nil {
		if peers, err = d.BuilderSide.gossip(ctx); err != nil {
			return engine, nil, err
		}
		if err = d.BuilderSide.listen(ctx); err != nil {
			return engine, nil, err
		}
	}
	ports, err := freePorts(1)
	if err != nil {
		return engine, nil, err
	}
	node := &OpNode{
		program: d.config.Programs.OpNode, files: d.files, name: name + "-op-node",
		port: ports[0], l1: d.L1.HTTP(), engine: auth, sequencer: sequencer, gossip: peers,
	}
	return engine, node, node.Start(ctx)
}

// before starts what stands between op-node and the engine, and returns the URL
// of the Engine API for op-node.
func (d *Devnet) before(ctx context.Context, engine Engine, sequencer bool) (auth string, err error) {
	auth = engine.Auth()
	switch {
	case sequencer && d.config.Sidecar != nil:
		if d.Sidecar, err = startSidecar(ctx, *d.config.Sidecar, d.files, engine); err != nil {
			return "", err
		}
		auth = d.Sidecar.URL()
	case sequencer && d.BuilderSide != nil:
		if auth, err = d.BuilderSide.startProposer(ctx, engine); err != nil {
			return "", err
		}
	}
	if d.config.Genesis.KarstOffset < 0 {
		return auth, nil
	}
	bridge, err := newPayloadBridge(auth, d.files.config(genesis.RollupFile))
	if err != nil {
		return "", err
	}
	d.bridges = append(d.bridges, bridge)
	return bridge.url, nil
}

// Processes returns all that run, in the order in which they are to end:
// who depends on another first.
func (d *Devnet) Processes() []*process.Process {
	all := []*process.Process{d.batcher}
	for _, follower := range d.followers {
		all = append(all, nodeProcess(follower.Node), engineProcess(follower.Engine))
	}
	all = append(all, nodeProcess(d.Node))
	if d.Sidecar != nil {
		all = append(all, d.Sidecar.process, engineProcess(d.Sidecar.Builder))
	}
	if d.BuilderSide != nil {
		all = append(all, d.BuilderSide.processes()...)
	}
	all = append(all, engineProcess(d.Engine))
	for _, judge := range d.judges {
		all = append(all, engineProcess(judge))
	}
	if d.L1 != nil {
		all = append(all, d.L1.process)
	}
	running := all[:0]
	for _, p := range all {
		if p != nil && p.Ended() == nil {
			running = append(running, p)
		}
	}
	return running
}

// Stop ends everything cleanly and reports what had to be killed.
func (d *Devnet) Stop() error {
	var errs []error
	for _, p := range d.Processes() {
		errs = append(errs, p.Stop(stopPatience))
	}
	for _, bridge := range d.bridges {
		errs = append(errs, bridge.close())
	}
	if d.BuilderSide != nil && d.BuilderSide.Wire != nil {
		errs = append(errs, d.BuilderSide.Wire.close())
	}
	return errors.Join(errs...)
}

func nodeProcess(n *OpNode) *process.Process {
	if n == nil {
		return nil
	}
	return n.process
}

func engineProcess(e Engine) *process.Process {
	if e == nil {
		return nil
	}
	return e.Process()
}

// BlockTimeSeconds is the time between two L2 blocks.
func (d *Devnet) BlockTimeSeconds() uint64 { return d.config.Genesis.BlockTimeSeconds }

// JWTSecret is the shared secret of all Engine APIs.
func (d *Devnet) JWTSecret() ([32]byte, error) { return readJWTSecret(d.files.jwt()) }
