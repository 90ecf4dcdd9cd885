package network

import (
	"context"
	"fmt"
	"net/http"

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

func newEngine(ctx context.Context, config Config, files layout, name string, extra ...string) (Engine, error) {
	switch config.Engine {
	case OpGeth:
		return newOpGeth(ctx, config.Programs.Geth, files, name)
	case Blockwright:
		b, err := newBlockwright(config.EngineProgram, files, name)
		if err != nil {
			return nil, err
		}
		b.extra = extra
		return b, nil
	default:
		return nil, fmt.Errorf("engine: %q is not one of %q and %q", config.Engine, OpGeth, Blockwright)
	}
}

// listening is a check for Await: somebody answers at the URL, whatever it is.
func listening(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return answer.Body.Close()
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
