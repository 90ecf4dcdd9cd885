package network

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/rpc"

	"blockwright.test/devnet/process"
)

// Engine is an L2 execution client. It keeps its data folder and its ports
// over restarts.
type Engine interface {
	// Start runs it and returns once it serves.
	Start(ctx context.Context) error
	// HTTP is the URL of the public JSON-RPC.
	HTTP() string
	// Auth is the URL of the Engine API.
	Auth() string
	// Process is the running process, nil before the first Start.
	Process() *process.Process
}

// EngineKind names an L2 execution client.
type EngineKind string

// The execution clients that can drive a devnet.
const (
	OpGeth      EngineKind = "op-geth"
	Blockwright EngineKind = "blockwright"
)

func newEngine(ctx context.Context, config Config, files layout, name string) (Engine, error) {
	switch config.Engine {
	case OpGeth:
		return newOpGeth(ctx, config.Programs.Geth, files, name)
	case Blockwright:
		return newBlockwright(config.EngineProgram, files, name)
	default:
		return nil, fmt.Errorf("engine: %q is not one of %q and %q", config.Engine, OpGeth, Blockwright)
	}
}

// serving is a check for Await: the endpoint answers eth_chainId.
func serving(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		client, err := rpc.DialContext(ctx, url)
		if err != nil {
			return err
		}
		defer client.Close()
		var id string
		return client.CallContext(ctx, &id, "eth_chainId")
	}
}
