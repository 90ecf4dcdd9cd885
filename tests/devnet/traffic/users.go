package traffic

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"blockwright.test/devnet/genesis"
)

// includePatience is how long a user waits for a transaction before making a
// new one: a node that was killed may have lost it.
const includePatience = 5 * time.Second

// retryPause is how long a user leaves a node alone that refused a request.
const retryPause = 250 * time.Millisecond

// Users send transactions, each user one after the other.
type Users struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	mined   atomic.Uint64
	mu      sync.Mutex
	lastErr error
}

// StartUsers lets the accounts send transactions to the node at url until Stop.
func StartUsers(ctx context.Context, url string, accounts ...uint64) (*Users, error) {
	ctx, cancel := context.WithCancel(ctx)
	users := &Users{cancel: cancel}
	for _, account := range accounts {
		key, err := genesis.Key(account)
		if err != nil {
			cancel()
			return nil, err
		}
		users.running.Add(1)
		go func() {
			defer users.running.Done()
			users.work(ctx, url, key)
		}()
	}
	return users, nil
}

// Stop ends all users. Transactions that are under way may still be mined.
func (u *Users) Stop() {
	u.cancel()
	u.running.Wait()
}

// Mined is how many transactions were seen in blocks.
func (u *Users) Mined() uint64 { return u.mined.Load() }

// LastError is the latest failure; a node that restarts causes some.
func (u *Users) LastError() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.lastErr
}

func (u *Users) work(ctx context.Context, url string, key *ecdsa.PrivateKey) {
	for turn := uint64(0); ctx.Err() == nil; turn++ {
		err := u.sendOne(ctx, url, key, turn)
		if err == nil {
			u.mined.Add(1)
			continue
		}
		u.mu.Lock()
		u.lastErr = err
		u.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

func (u *Users) sendOne(ctx context.Context, url string, key *ecdsa.PrivateKey, turn uint64) error {
	ctx, cancel := context.WithTimeout(ctx, includePatience)
	defer cancel()
	client, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return err
	}
	defer client.Close()
	call, fails := userCall(crypto.PubkeyToAddress(key.PublicKey), turn)
	tx, err := Send(ctx, client, key, call)
	if err != nil {
		return err
	}
	receipt, err := AwaitReceipt(ctx, client, tx.Hash())
	if err != nil {
		return err
	}
	if failed := receipt.Status == 0; failed != fails {
		return fmt.Errorf("transaction %s: failed %t, expected %t", tx.Hash(), failed, fails)
	}
	return nil
}

// userCall varies what transactions do, and says whether execution fails.
func userCall(from common.Address, turn uint64) (call Call, fails bool) {
	switch turn % 4 {
	case 0, 1: // a transfer to an account that does not exist yet, then to one that does
		var seed [8]byte
		binary.BigEndian.PutUint64(seed[:], turn/4)
		to := common.BytesToAddress(crypto.Keccak256(from[:], seed[:]))
		return Call{To: &to, Value: big.NewInt(1_000_000_007)}, false
	case 2: // a contract that stores its block's number and base fee when created
		init := program.New().Op(vm.NUMBER).Push(1).Op(vm.SSTORE).Op(vm.BASEFEE).Push(2).Op(vm.SSTORE)
		init.ReturnData([]byte{byte(vm.STOP)})
		return Call{Data: init.Bytes(), Value: new(big.Int)}, false
	default: // a creation that reverts
		init := program.New().Op(vm.NUMBER).Push(1).Op(vm.SSTORE).Push(0).Push(0).Op(vm.REVERT)
		return Call{Data: init.Bytes(), Value: new(big.Int), Gas: 200_000}, true
	}
}
