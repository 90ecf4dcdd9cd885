// Command gen writes the genesis files and the rollup configuration of a devnet.
package main

import (
	"flag"
	"log"
	"time"

	"blockwright.test/devnet/genesis"
)

func main() {
	log.SetFlags(0)
	options := genesis.DefaultOptions()
	out := flag.String("out", "", "folder to write into (required)")
	flag.Uint64Var(&options.BlockTimeSeconds, "block-time", options.BlockTimeSeconds, "L2 block time in seconds")
	flag.Int64Var(&options.JovianOffset, "jovian", options.JovianOffset, "Jovian, seconds after genesis (0: at genesis, negative: never)")
	flag.Int64Var(&options.KarstOffset, "karst", options.KarstOffset, "Karst, seconds after genesis (0: at genesis, negative: never)")
	flag.Uint64Var(&options.GasLimit, "gas-limit", options.GasLimit, "L2 block gas limit")
	flag.Parse()
	if *out == "" {
		log.Fatal("gen: -out is required")
	}
	if err := genesis.Write(*out, time.Now(), options); err != nil {
		log.Fatalf("gen: %v", err)
	}
}
