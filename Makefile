# Daily verbs. `make help` lists them.
CARGO ?= cargo
export BLOCKWRIGHT_BLOCKS ?=

.PHONY: help dev build test fmt lint tidy check ci simulate bench bench-quick bench-hosts microbench devnet soak soak-devnet soak-stream soak-proposer interop pbs docs clean op-reth test-op-reth

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev: ## run a development chain (release build)
	$(CARGO) run --release --locked -- dev

build: ## release build of the binary
	$(CARGO) build --release --locked

test: ## every test; the same command as in the README
	$(CARGO) test --workspace --locked

simulate: ## 1,000 seeded scripts each on fakes, on real threads and on the real EVM
	BLOCKWRIGHT_SEEDS=1000 $(CARGO) test --workspace --locked --test invariants --test seeded

fmt: ## format all code
	$(CARGO) fmt --all
	cd tests/devnet && gofmt -w .

lint: ## clippy with warnings denied
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

tidy: ## the rules of form and the dependency edges
	$(CARGO) xtask tidy

check: fmt lint tidy ## what CI checks before the tests

ci: ## what CI runs
	bash .ci/run

bench: build ## the ten-minute standard set; writes the tables of docs/benchmarks.md
	target/release/blockwright bench set standard --out target/bench/standard \
		--docs docs/benchmarks.md --commit "$$(git rev-parse --short HEAD)"

bench-quick: build ## a minute of every kind of load; its verdict is correctness, never time
	target/release/blockwright bench set quick --out target/bench/quick

microbench: ## criterion benchmarks; figures belong into docs/benchmarks.md
	$(CARGO) bench --workspace --locked

devnet: build ## a real op-node sequencing on our node, with L1, batcher and a second node
	cd tests/devnet && go run ./cmd/devnet -follower -engine-bin "$(CURDIR)/target/release/blockwright"

soak: soak-devnet soak-stream soak-proposer ## the long runs, in parts of at most an hour

soak-devnet: build ## the whole-system tests with op-node and op-geth, 100 blocks and more
	cd tests/devnet && BLOCKWRIGHT_BIN="$(CURDIR)/target/release/blockwright" DEVNET_BLOCKS=100 go test -count=1 -timeout 55m -v ./...

soak-stream: build ## an hour of late fork choices, dropped payloads and a subscriber that is cut every second
	target/release/blockwright bench local --name "an hour of trouble" --rate 200 --load mixed --blocks 3200 \
		--late-fork-choices 20 --dropped-payloads 10 --cut-every 1s --json target/soak-stream.json

# PROPOSER_BLOCKS may be set.
soak-proposer: export PROPOSER_BLOCKS ?= 100
soak-proposer: build ## proposers' chains of 100 blocks beside a builder that lies, hangs and dies: by themselves and with op-node
	$(CARGO) test --locked -p blockwright --test proposer -- --nocapture
	$(CARGO) build --release --locked -p blockwright-builder-client --example proposer
	cd tests/devnet && BLOCKWRIGHT_BIN="$(CURDIR)/target/release/blockwright" CI=true \
		PROPOSER_BIN="$(CURDIR)/target/release/examples/proposer" \
		go test -count=1 -timeout 30m -v -run '^TestProposer' ./scenario

ROLLUP_BOOST_TARGET ?= $(CURDIR)/target/rollup-boost

# INTEROP_BLOCKS (100) and INTEROP_BLOCK_TIME (2 s) may be set.
interop: build ## rollup-boost 0.7.13 between op-node and the builder, which is killed mid-block
	$(CARGO) build --release --locked --manifest-path tests/rollup-boost/Cargo.toml \
		--target-dir "$(ROLLUP_BOOST_TARGET)"
	cd tests/devnet && BLOCKWRIGHT_BIN="$(CURDIR)/target/release/blockwright" CI=true \
		ROLLUP_BOOST_BIN="$(ROLLUP_BOOST_TARGET)/release/rollup-boost" \
		go test -count=1 -timeout 45m -v -run '^TestRollupBoost$$' ./scenario

# PBS_BLOCKS (60) may be set, and PBS_RECORD to a folder for what was on the wire.
pbs: build ## an op-node with the builder API, PBS_OP_NODE_BIN, asks the builder for each block
	@test -x "$(PBS_OP_NODE_BIN)" || { echo "PBS_OP_NODE_BIN must name an op-node with the builder API"; exit 1; }
	cd tests/devnet && BLOCKWRIGHT_BIN="$(CURDIR)/target/release/blockwright" CI=true \
		PBS_OP_NODE_BIN="$(abspath $(PBS_OP_NODE_BIN))" go test -count=1 -timeout 30m -v -run '^TestPBS' ./scenario

OP_RETH = bin/op-reth/Cargo.toml

op-reth: ## the builder in op-reth: target/op-reth/release/blockwright-op-reth (needs the git sources of reth and op-reth)
	@$(CARGO) fetch --locked --manifest-path $(OP_RETH) || \
		{ echo "op-reth host: not built: the source named above cannot be had here (docs/hosts.md)" >&2; exit 1; }
	$(CARGO) build --release --locked --manifest-path $(OP_RETH) --target-dir target/op-reth

test-op-reth: ## the whole-system tests that hold on any host, and 100 blocks with op-node, on OP_RETH_BIN
	BLOCKWRIGHT_HOST=op-reth BLOCKWRIGHT_BIN="$(abspath $(OP_RETH_BIN))" bash .ci/host-suites
	cd tests/devnet && BLOCKWRIGHT_HOST=op-reth BLOCKWRIGHT_BIN="$(abspath $(OP_RETH_BIN))" DEVNET_BLOCKS=100 \
		go test -count=1 -timeout 20m -v -run '^TestSequencing' ./scenario

OP_RETH_BIN ?= target/op-reth/release/blockwright-op-reth
OP_RETH_COMMAND = $(OP_RETH_BIN) node --chain {genesis} --datadir {datadir} --authrpc.jwtsecret {jwt} \
	--authrpc.port {engine_port} --http --http.port {rpc_port} --flashblocks.port {stream_port} \
	--flashblocks.block-time {interval_ms}ms --ipcdisable --disable-discovery --port 0 --no-persist-peers \
	--log.file.max-files 0 --color never --txpool.pending-max-count 1000000 --txpool.pending-max-size 4000 \
	--txpool.max-account-slots 100000

bench-hosts: build ## the same loads on both hosts, one after the other; needs `make op-reth`; writes docs/benchmarks.md
	target/release/blockwright bench set hosts --out target/bench/hosts --beside "op-reth host=$(OP_RETH_COMMAND)" \
		--docs docs/benchmarks.md --commit "$$(git rev-parse --short HEAD)"

docs: ## the book, if mdbook is installed
	mdbook build docs

clean: ## remove build output
	$(CARGO) clean
