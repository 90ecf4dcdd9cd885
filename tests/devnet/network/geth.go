package network

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"blockwright.test/devnet/process"
)

// stopPatience is how long a part may take to end after SIGTERM. op-batcher
// takes the longest: it waits for its transactions.
const stopPatience = 30 * time.Second

// gethInit writes the genesis into a new data folder.
func gethInit(ctx context.Context, program, dataFolder, genesisFile string) error {
	command := exec.CommandContext(ctx, program, "init", "--datadir", dataFolder, genesisFile)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("geth init %s: %w\n%s", filepath.Base(genesisFile), err, output)
	}
	return nil
}

// quiet keeps a geth to itself: no peers, no sockets beside the given ports.
var quiet = []string{
	"--port", "0", "--nodiscover", "--maxpeers", "0", "--ipcdisable", "--gcmode", "archive",
	"--http", "--http.addr", loopback, "--authrpc.addr", loopback,
}

// L1 is geth's dev mode on a prepared genesis.
type L1 struct {
	process *process.Process
	http    string
}

// HTTP returns the URL of the L1's JSON-RPC.
func (l *L1) HTTP() string { return l.http }

func startL1(ctx context.Context, program string, files layout, blockTimeSeconds string) (*L1, error) {
	if err := gethInit(ctx, program, files.data("l1"), files.config("l1-genesis.json")); err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--datadir", files.data("l1"), "--dev", "--dev.period", blockTimeSeconds,
		"--http.port", ports[0], "--http.api", "eth,net,web3,debug,txpool", "--authrpc.port", ports[1],
		// The dev mode can miss that a payload is ready and then waits for its next
		// update, for ever if none comes within the block time.
		"--miner.recommit", "100ms",
	}, quiet...)
	l1 := &L1{http: httpURL(ports[0])}
	l1.process, err = process.Start(process.Spec{
		Name: "L1 geth", Program: program, Args: args, LogFile: files.log("l1.log"),
	})
	if err != nil {
		return nil, err
	}
	return l1, Await(ctx, "L1", serving(l1.http), l1.process)
}

// opGeth is op-geth as L2 execution client.
type opGeth struct {
	program string
	files   layout
	name    string
	ports   []string // HTTP, authenticated
	process *process.Process
}

func newOpGeth(ctx context.Context, program string, files layout, name string) (*opGeth, error) {
	if err := gethInit(ctx, program, files.data(name), files.config("l2-genesis.json")); err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	return &opGeth{program: program, files: files, name: name, ports: ports}, nil
}

func (g *opGeth) Start(ctx context.Context) error {
	args := append([]string{
		"--datadir", g.files.data(g.name), "--syncmode", "full", "--networkid", "901",
		"--http.port", g.ports[0], "--http.api", "eth,net,web3,debug,txpool,miner",
		"--authrpc.port", g.ports[1], "--authrpc.jwtsecret", g.files.jwt(),
		"--rollup.disabletxpoolgossip=true",
	}, quiet...)
	var err error
	g.process, err = process.Start(process.Spec{
		Name: g.name, Program: g.program, Args: args, LogFile: g.files.log(g.name + ".log"),
	})
	if err != nil {
		return err
	}
	return Await(ctx, g.name, serving(g.HTTP()), g.process)
}

func (g *opGeth) HTTP() string              { return httpURL(g.ports[0]) }
func (g *opGeth) Auth() string              { return httpURL(g.ports[1]) }
func (g *opGeth) Process() *process.Process { return g.process }
