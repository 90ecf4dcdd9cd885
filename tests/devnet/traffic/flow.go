package traffic

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
)

const (
	// windowMax is how many of an account's transactions may wait for inclusion.
	windowMax = 32
	// checkEvery is how many turns pass between two looks at what was included.
	checkEvery = 8
	// stalledAfter is how many looks without progress make an account send again
	// what is missing: a builder that was killed has lost its pool.
	stalledAfter = 4

	flowTipWei    = 1_000_000
	flowFeeCapWei = 100_000_000_000
)

// Flow is a steady stream of transactions that waits for nobody's receipt.
type Flow struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	sent    atomic.Uint64
	refused atomic.Uint64
}

// StartFlow lets each account send a transaction per interval to the node at url until Stop.
func StartFlow(ctx context.Context, url string, interval time.Duration, accounts ...uint64) (*Flow, error) {
	ctx, cancel := context.WithCancel(ctx)
	flow := &Flow{cancel: cancel}
	for _, index := range accounts {
		sender, err := newSender(ctx, url, index)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("flow of account %d: %w", index, err)
		}
		flow.running.Add(1)
		go func() {
			defer flow.running.Done()
			defer sender.client.Close()
			flow.work(ctx, sender, interval)
		}()
	}
	return flow, nil
}

// Stop ends the flow. Transactions that are under way may still be mined.
func (f *Flow) Stop() {
	f.cancel()
	f.running.Wait()
}

// Sent is how many transactions the node took, each counted once.
func (f *Flow) Sent() uint64 { return f.sent.Load() }

// Refused is how many requests failed; a sidecar whose fallback knows a
// transaction already refuses it when it is sent again.
func (f *Flow) Refused() uint64 { return f.refused.Load() }

func (f *Flow) work(ctx context.Context, s *sender, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if turn%checkEvery == 0 {
			if err := s.look(ctx); err != nil {
				f.refused.Add(1)
				continue
			}
		}
		if s.stalled >= stalledAfter {
			s.stalled = 0
			for _, tx := range s.window {
				// The fallback's pool may hold it still, and says so by an error.
				_ = s.client.SendTransaction(ctx, tx)
			}
		}
		if len(s.window) >= windowMax {
			continue
		}
		if err := s.next(ctx); err != nil {
			f.refused.Add(1)
			continue
		}
		f.sent.Add(1)
	}
}

// sender is one account: its next nonce and what is not yet in a block.
type sender struct {
	client  *ethclient.Client
	key     *ecdsa.PrivateKey
	from    common.Address
	chainID *big.Int
	nonce   uint64
	window  []*types.Transaction
	stalled int
}

func newSender(ctx context.Context, url string, index uint64) (*sender, error) {
	key, err := genesis.Key(index)
	if err != nil {
		return nil, err
	}
	client, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return nil, err
	}
	s := &sender{client: client, key: key, from: crypto.PubkeyToAddress(key.PublicKey)}
	if s.chainID, err = client.ChainID(ctx); err != nil {
		return nil, err
	}
	if s.nonce, err = client.NonceAt(ctx, s.from, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// look forgets what has been included.
func (s *sender) look(ctx context.Context) error {
	included, err := s.client.NonceAt(ctx, s.from, nil)
	if err != nil {
		return err
	}
	left := s.window[:0]
	for _, tx := range s.window {
		if tx.Nonce() >= included {
			left = append(left, tx)
		}
	}
	s.stalled++
	if len(left) < len(s.window) || len(left) == 0 {
		s.stalled = 0
	}
	s.window = left
	return nil
}

// next signs and sends the account's next transaction.
func (s *sender) next(ctx context.Context) error {
	call, _ := userCall(s.from, s.nonce)
	if call.Gas == 0 {
		call.Gas = 200_000
	}
	tx, err := types.SignNewTx(s.key, types.LatestSignerForChainID(s.chainID), &types.DynamicFeeTx{
		ChainID: s.chainID, Nonce: s.nonce, GasTipCap: big.NewInt(flowTipWei), GasFeeCap: big.NewInt(flowFeeCapWei),
		Gas: call.Gas, To: call.To, Value: call.Value, Data: call.Data,
	})
	if err != nil {
		return err
	}
	if err := s.client.SendTransaction(ctx, tx); err != nil {
		return err
	}
	s.nonce++
	s.window = append(s.window, tx)
	return nil
}
