// Command devnet runs an L1, an L2 engine, op-node and op-batcher on free
// loopback ports until it is told to stop or one of them ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/process"
	"blockwright.test/devnet/programs"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "devnet:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	config := network.Config{Genesis: genesis.DefaultOptions()}
	engine := flag.String("engine", string(network.Blockwright), "L2 execution client: blockwright or op-geth")
	flag.StringVar(&config.EngineProgram, "engine-bin", os.Getenv("BLOCKWRIGHT_BIN"), "executable of blockwright")
	flag.StringVar(&config.Folder, "dir", "", "folder for configuration, data and logs (default: a new temporary one)")
	flag.Uint64Var(&config.Genesis.BlockTimeSeconds, "block-time", config.Genesis.BlockTimeSeconds, "L2 block time in seconds")
	flag.Int64Var(&config.Genesis.JovianOffset, "jovian", config.Genesis.JovianOffset, "Jovian, seconds after genesis (0: at genesis, negative: never)")
	flag.Int64Var(&config.Genesis.KarstOffset, "karst", config.Genesis.KarstOffset, "Karst, seconds after genesis (0: at genesis, negative: never)")
	flag.Uint64Var(&config.Genesis.GasLimit, "gas-limit", config.Genesis.GasLimit, "L2 block gas limit")
	batcher := flag.Bool("batcher", true, "run op-batcher")
	follower := flag.Bool("follower", false, "run a second engine with an op-node that derives the chain from L1")
	flag.Parse()
	config.Engine = network.EngineKind(*engine)

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if config.Folder == "" {
		if config.Folder, err = os.MkdirTemp("", "devnet-"); err != nil {
			return err
		}
	}
	fmt.Println("building op-node, op-batcher and geth (minutes the first time)")
	if config.Programs, err = programs.Build(ctx); err != nil {
		return err
	}
	fmt.Println("files      ", config.Folder)
	net, err := network.Start(ctx, config)
	defer func() {
		fmt.Println("stopping; op-batcher posts what it still has")
		err = errors.Join(err, net.Stop())
	}()
	if err != nil {
		return err
	}
	fmt.Println("L1         ", net.L1.HTTP())
	fmt.Println("L2         ", net.Engine.HTTP())
	fmt.Println("L2 engine  ", net.Engine.Auth())
	fmt.Println("op-node    ", net.Node.HTTP())
	if *batcher {
		if err := net.StartBatcher(ctx); err != nil {
			return err
		}
	}
	if *follower {
		second, err := net.AddFollower(ctx)
		if err != nil {
			return err
		}
		fmt.Println("follower L2", second.Engine.HTTP())
		fmt.Println("its op-node", second.Node.HTTP())
	}
	return supervise(ctx, net.Processes())
}

// supervise returns when ctx is over, or with an error when a process ends.
func supervise(ctx context.Context, processes []*process.Process) error {
	ended := make(chan error, len(processes))
	for _, p := range processes {
		go func() {
			<-p.Done()
			ended <- p.Ended()
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}
