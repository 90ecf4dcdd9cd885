package scenario

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"blockwright.test/devnet/genesis"
	"blockwright.test/devnet/network"
	"blockwright.test/devnet/programs"
)

// TestSimulations asks a Blockwright and an op-geth that have nothing but the
// same genesis to simulate the same, and compares answers field by field.
// TestSequencing does it again on a chain.
func TestSimulations(t *testing.T) {
	program := blockwrightProgram(t)
	ctx := within(context.Background(), t, 15*time.Minute)
	built, err := programs.Build(ctx)
	must(t, err)
	d := startAlone(ctx, t, network.Config{
		Programs: built, Engine: network.Blockwright, EngineProgram: program, Genesis: genesis.DefaultOptions(),
	})
	judge, err := d.AddJudge(ctx)
	must(t, err)
	simulatesAlike(ctx, t, dial(ctx, t, d.Engine.HTTP()), dial(ctx, t, judge.HTTP()), 0)
}

// simulatesAlike asks both nodes everything there is to ask on block number.
func simulatesAlike(ctx context.Context, t *testing.T, ours, theirs *ethclient.Client, number uint64) {
	t.Helper()
	base := header(ctx, t, theirs, number)
	chain := simulationBase{number: number, time: base.Time}
	for _, question := range questions(t, chain) {
		t.Run(question.name, func(t *testing.T) {
			params := append([]any{question.first, hexNumber(number)}, question.more...)
			outcomesAlike(ctx, t, ours.Client(), theirs.Client(), question, params)
		})
	}
}

// outcomesAlike compares results, or the codes of errors. A question whose
// code is not said has to have a result.
func outcomesAlike(ctx context.Context, t *testing.T, ours, theirs *rpc.Client, question question, params []any) {
	t.Helper()
	var our, their any
	ourErr := ours.CallContext(ctx, &our, question.method, params...)
	theirErr := theirs.CallContext(ctx, &their, question.method, params...)
	if got := errorCode(ourErr); got != question.code {
		t.Errorf("our error code is %d, want %d: %v", got, question.code, ourErr)
	}
	theirCode := question.theirs
	if theirCode == 0 {
		theirCode = question.code
	}
	if got := errorCode(theirErr); got != theirCode {
		t.Errorf("op-geth's error code is %d, want %d: %v", got, theirCode, theirErr)
	}
	if found := differences("", our, their); len(found) > 0 {
		t.Errorf("%s %s differs from op-geth:\n%s", question.method, asJSON(params), strings.Join(found, "\n"))
	}
	if question.says != "" && !strings.Contains(asJSON(our), question.says) {
		t.Errorf("the answer does not show %s: %s", question.says, asJSON(our))
	}
}

// errorCode is 0 where there is no error.
func errorCode(err error) int {
	var coded rpc.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.ErrorCode()
	default:
		return -1
	}
}

// startAlone runs an engine without L1 and op-node.
func startAlone(ctx context.Context, t *testing.T, config network.Config) *network.Devnet {
	t.Helper()
	config.Folder = t.TempDir()
	d, err := network.StartEngine(ctx, config)
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	must(t, err)
	return d
}

// word is a number as 32 bytes of calldata.
func word(value uint64) string {
	return common.BigToHash(hexutil.MustDecodeBig(hexutil.EncodeUint64(value))).Hex()
}

// wordOf is an address as 32 bytes of calldata.
func wordOf(address string) string {
	return common.BytesToHash(common.HexToAddress(address).Bytes()).Hex()
}
