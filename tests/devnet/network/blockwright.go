package network

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"blockwright.test/devnet/process"
)

// HostEnv names the node that holds the builder under test: "embedded", which it
// is where nothing is named, or "op-reth".
const HostEnv = "BLOCKWRIGHT_HOST"

// HasOwnRPC tells whether the JSON-RPC of the host under test is not ours.
func HasOwnRPC() bool { return os.Getenv(HostEnv) == "op-reth" }

// LosesNewestBlocks tells whether the host under test keeps its newest blocks in
// memory alone for a while, so that a SIGKILL costs some of them.
func LosesNewestBlocks() bool { return os.Getenv(HostEnv) == "op-reth" }

// hostArgs are the arguments that one host needs and the other does not know.
func hostArgs() ([]string, error) {
	switch host := os.Getenv(HostEnv); host {
	case "", "embedded":
		return []string{"--metrics.port", "0"}, nil
	case "op-reth":
		namespaces := "eth,net,web3,txpool,debug,miner,builder"
		return []string{
			"--http", "--http.api", namespaces, "--ws", "--ws.api", namespaces,
			"--metrics", "127.0.0.1:0", "--ipcdisable",
			"--disable-discovery", "--port", "0", "--no-persist-peers",
			"--log.file.max-files", "0", "--color", "never",
		}, nil
	default:
		return nil, fmt.Errorf("%s: there is no host %q", HostEnv, host)
	}
}

// Endpoints is what `blockwright --endpoints FILE` writes once it serves.
type Endpoints struct {
	HTTP        string `json:"http"`
	WS          string `json:"ws"`
	AuthRPC     string `json:"authrpc"`
	Flashblocks string `json:"flashblocks"`
	Metrics     string `json:"metrics"`
	JWT         string `json:"jwt"` // a path
}

// ReadEndpoints is a check for Await: the file is there and complete.
func ReadEndpoints(file string, into *Endpoints) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if into.HTTP == "" || into.AuthRPC == "" || into.JWT == "" {
		return fmt.Errorf("%s: http, authrpc or jwt is missing: %s", file, text)
	}
	return nil
}

// blockwright is `blockwright node`.
type blockwright struct {
	program   string
	files     layout
	name      string
	extra     []string // arguments
	ports     []string // HTTP, authenticated, flashblocks; the same after a restart
	endpoints Endpoints
	process   *process.Process
}

func newBlockwright(program string, files layout, name string) (*blockwright, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	return &blockwright{program: program, files: files, name: name, ports: ports}, nil
}

func (b *blockwright) Start(ctx context.Context) error {
	endpoints := b.files.config(b.name + "-endpoints.json")
	if err := os.Remove(endpoints); err != nil && !os.IsNotExist(err) {
		return err
	}
	host, err := hostArgs()
	if err != nil {
		return err
	}
	args := append([]string{
		"node", "--chain", b.files.config("l2-genesis.json"), "--datadir", b.files.data(b.name),
		"--http.port", b.ports[0], "--ws.port", "0",
		"--authrpc.port", b.ports[1], "--authrpc.jwtsecret", b.files.jwt(),
		"--flashblocks.port", b.ports[2], "--endpoints", endpoints,
	}, host...)
	b.process, err = process.Start(process.Spec{
		Name:    b.name,
		Program: b.program,
		LogFile: b.files.log(b.name + ".log"),
		Args:    append(args, b.extra...),
	})
	if err != nil {
		return err
	}
	return Await(ctx, b.name, func(context.Context) error {
		return ReadEndpoints(endpoints, &b.endpoints)
	}, b.process)
}

func (b *blockwright) HTTP() string              { return b.endpoints.HTTP }
func (b *blockwright) Auth() string              { return b.endpoints.AuthRPC }
func (b *blockwright) Process() *process.Process { return b.process }

// Flashblocks is the URL of the flashblock stream.
func (b *blockwright) Flashblocks() string { return b.endpoints.Flashblocks }
