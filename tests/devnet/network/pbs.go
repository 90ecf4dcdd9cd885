package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/process"
	"blockwright.test/devnet/programs"
	"blockwright.test/devnet/wiretap"
)

// PBSConfig says what to run: an op-node with the builder API as proposer, on an
// op-geth of its own, and another with the attributes stream for the builder.
type PBSConfig struct {
	// Folder receives all files.
	Folder string
	// Programs are the foreign executables; their op-node is not used.
	Programs programs.Programs
	// OpNode is the executable of the op-node with the builder API.
	OpNode string
	// BuilderProgram is the executable of Blockwright.
	BuilderProgram string
	// Genesis is the chain to make.
	Genesis genesis.EarlyOptions
	// LocalAttributes makes the proposer's own execution client a Blockwright
	// whose stream the builder follows, in place of op-geth and the stream of
	// the builder's op-node.
	LocalAttributes bool
}

// PBS is a running chain whose blocks a proposer asks a builder for.
type PBS struct {
	L1 *L1
	// Local is the proposer's own execution client.
	Local Engine
	// Builder makes blocks for the proposer.
	Builder Engine
	// Proposer sequences on Local; Verifier brings its blocks to Builder.
	Proposer, Verifier *PBSNode
	// Requests is between the proposer and the builder, Events between the
	// builder and the stream that it follows.
	Requests, Events *wiretap.Tap

	config PBSConfig
	files  layout
	ports  pbsPorts
}

// pbsPorts are what others have to know before somebody listens there.
type pbsPorts struct{ payloads, events, localEvents, proposerEvents, gossip string }

func newPBSPorts() (p pbsPorts, err error) {
	into := []*string{&p.payloads, &p.events, &p.localEvents, &p.proposerEvents, &p.gossip}
	ports, err := freePorts(len(into))
	if err != nil {
		return p, err
	}
	for index, port := range ports {
		*into[index] = port
	}
	return p, nil
}

// StartPBS makes a new chain and starts all of it. Stop has to be called even
// when it fails.
func StartPBS(ctx context.Context, config PBSConfig) (*PBS, error) {
	p := &PBS{config: config}
	var err error
	if p.files, err = newLayout(config.Folder); err != nil {
		return p, err
	}
	if err := genesis.WriteEarly(p.files.config(""), time.Now(), config.Genesis); err != nil {
		return p, err
	}
	if err := writeJWTSecret(p.files.jwt()); err != nil {
		return p, err
	}
	p.L1, err = startL1(ctx, config.Programs.Geth, p.files, strconv.Itoa(l1BlockTimeSeconds))
	if err != nil {
		return p, err
	}
	if p.ports, err = newPBSPorts(); err != nil {
		return p, err
	}
	if err := p.startLocal(ctx); err != nil {
		return p, err
	}
	if err := p.startBuilder(ctx); err != nil {
		return p, err
	}
	return p, p.startNodes(ctx)
}

func (p *PBS) startLocal(ctx context.Context) error {
	if p.config.LocalAttributes {
		local, err := newBlockwright(p.config.BuilderProgram, p.files, "local")
		if err != nil {
			return err
		}
		local.extra = []string{"--builder-api.events-port", p.ports.localEvents}
		p.Local = local
	} else {
		local, err := newOpGeth(ctx, p.config.Programs.Geth, p.files, "local")
		if err != nil {
			return err
		}
		p.Local = local
	}
	return p.Local.Start(ctx)
}

func (p *PBS) startBuilder(ctx context.Context) (err error) {
	events := p.ports.events
	if p.config.LocalAttributes {
		events = p.ports.localEvents
	}
	if p.Events, err = wiretap.Listen(net.JoinHostPort(loopback, events)); err != nil {
		return err
	}
	if p.Requests, err = wiretap.Listen(net.JoinHostPort(loopback, p.ports.payloads)); err != nil {
		return err
	}
	builder, err := newBlockwright(p.config.BuilderProgram, p.files, "builder")
	if err != nil {
		return err
	}
	key := p.files.config("builder.key")
	if err := writeKey(key, genesis.Builder); err != nil {
		return err
	}
	proposer, err := genesis.Address(genesis.Proposer)
	if err != nil {
		return err
	}
	builder.extra = []string{
		"--builder-api.port", p.ports.payloads, "--builder-api.secp-key", key,
		"--builder-api.proposer", proposer.Hex(),
		"--builder-api.attributes-url", "http://" + p.Events.Addr(),
	}
	p.Builder = builder
	return builder.Start(ctx)
}

func (p *PBS) startNodes(ctx context.Context) error {
	who, err := newAccounts()
	if err != nil {
		return err
	}
	p.Proposer, err = p.startNode(ctx, "proposer", p.Local, []string{
		"--sequencer.enabled", "--p2p.sequencer.key=" + who.publisherKey, "--p2p.listen.tcp=" + p.ports.gossip,
		"--l2.builder.enabled", "--l2.builder.timeout=500ms", "--l2.builder.request-signer=" + who.proposerKey,
		fmt.Sprintf("--l2.builder.endpoint=http://%s@%s", who.builder.Hex(), p.Requests.Addr()),
		"--eventstream.port=" + p.ports.proposerEvents,
	})
	if err != nil {
		return err
	}
	var self struct {
		PeerID string `json:"peerID"`
	}
	if err := p.Proposer.call(ctx, &self, "opp2p_self"); err != nil {
		return err
	}
	flags := []string{
		fmt.Sprintf("--p2p.static=/ip4/%s/tcp/%s/p2p/%s", loopback, p.ports.gossip, self.PeerID),
		"--p2p.listen.tcp=0", "--eventstream.port=" + p.ports.events,
	}
	if !p.config.LocalAttributes {
		flags = append(flags, "--sequencer.publish-attributes")
	}
	p.Verifier, err = p.startNode(ctx, "verifier", p.Builder, flags)
	return err
}

// Processes returns all that run, in the order in which they are to end.
func (p *PBS) Processes() []*process.Process {
	var running []*process.Process
	for _, n := range []*PBSNode{p.Verifier, p.Proposer} {
		if n != nil && n.process != nil {
			running = append(running, n.process)
		}
	}
	for _, e := range []Engine{p.Builder, p.Local} {
		if e != nil && e.Process() != nil {
			running = append(running, e.Process())
		}
	}
	if p.L1 != nil && p.L1.process != nil {
		running = append(running, p.L1.process)
	}
	return running
}

// Stop ends everything and reports what had to be killed. The op-nodes always
// are: one may go on making blocks after SIGTERM.
func (p *PBS) Stop() error {
	var errs []error
	for _, n := range []*PBSNode{p.Verifier, p.Proposer} {
		if n != nil && n.process != nil {
			n.process.Kill()
		}
	}
	for _, one := range p.Processes() {
		errs = append(errs, one.Stop(stopPatience))
	}
	for _, tap := range []*wiretap.Tap{p.Requests, p.Events} {
		if tap != nil {
			errs = append(errs, tap.Close())
		}
	}
	return errors.Join(errs...)
}
