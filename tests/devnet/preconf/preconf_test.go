package preconf

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/gorilla/websocket"
)

const patience = 10 * time.Second

// serve sends each script over a connection of its own and then cuts it.
func serve(t *testing.T, scripts ...[]string) string {
	t.Helper()
	turn := make(chan []string, len(scripts))
	for _, script := range scripts {
		turn <- script
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var script []string
		select {
		case script = <-turn:
		default:
			http.Error(w, "no more", http.StatusServiceUnavailable)
			return
		}
		connection, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer connection.Close()
		for _, text := range script {
			_ = connection.WriteMessage(websocket.TextMessage, []byte(text))
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func frame(id string, index, number uint64, transactions ...*types.Transaction) string {
	quoted := make([]string, 0, len(transactions))
	for _, tx := range transactions {
		raw, _ := tx.MarshalBinary()
		quoted = append(quoted, `"`+hexutil.Encode(raw)+`"`)
	}
	return fmt.Sprintf(`{"payload_id":%q,"index":%d,"diff":{"transactions":[%s]},"metadata":{"block_number":%d}}`,
		id, index, strings.Join(quoted, ","), number)
}

func transaction(nonce uint64) *types.Transaction {
	return types.NewTx(&types.LegacyTx{Nonce: nonce, To: &common.Address{}, Value: new(big.Int), GasPrice: new(big.Int)})
}

func block(number uint64, transactions ...*types.Transaction) *types.Block {
	header := &types.Header{Number: new(big.Int).SetUint64(number)}
	return types.NewBlock(header, &types.Body{Transactions: transactions}, nil, trie.NewStackTrie(nil), types.DefaultBlockConfig)
}

func record(t *testing.T, url string, last func(Frame) bool) *Recorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := Record(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	for {
		r.mu.Lock()
		done := len(r.frames) > 0 && last(r.frames[len(r.frames)-1])
		changed := r.changed
		r.mu.Unlock()
		if done {
			return r
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
}

func TestPromisesAreHeldAgainstBlocks(t *testing.T) {
	first, second, third := transaction(1), transaction(2), transaction(3)
	url := serve(t,
		[]string{frame("0xa", 0, 7, first), frame("0xa", 1, 7, second)},
		// The server replays after the reconnect.
		[]string{frame("0xa", 0, 7, first), frame("0xa", 1, 7, second), frame("0xb", 0, 8, third)},
	)
	r := record(t, url, func(f Frame) bool { return f.PayloadID == "0xb" })
	if err := r.Faults(); err != nil {
		t.Fatal(err)
	}
	payloads := r.Payloads()
	if len(payloads) != 2 || payloads[0].Flashblocks != 2 || payloads[1].Number != 8 {
		t.Fatalf("payloads: %+v", payloads)
	}
	for name, one := range map[string]struct {
		block       *types.Block
		kept, whole bool
	}{
		"the same":     {block(7, first, second), true, true},
		"more":         {block(7, first, second, third), true, false},
		"less":         {block(7, first), false, false},
		"other order":  {block(7, second, first), false, false},
		"other one":    {block(7, first, third), false, false},
		"nothing left": {block(7), false, false},
	} {
		verdict, err := payloads[0].Judge(one.block)
		if err != nil {
			t.Fatal(err)
		}
		if (verdict.Broken == nil) != one.kept || verdict.Whole != one.whole {
			t.Errorf("%s: %+v", name, verdict)
		}
	}
}

func TestGapsAndContradictionsAreFaults(t *testing.T) {
	first, second := transaction(1), transaction(2)
	for name, script := range map[string][]string{
		"gap":           {frame("0xa", 0, 7, first), frame("0xa", 2, 7, second)},
		"contradiction": {frame("0xa", 0, 7, first), frame("0xa", 0, 7, second)},
		"no json":       {"{"},
		"no number":     {`{"payload_id":"0xa","index":0,"diff":{"transactions":[]},"metadata":{}}`},
	} {
		script = append(script, frame("0xend", 0, 8))
		r := record(t, serve(t, script), func(f Frame) bool { return f.PayloadID == "0xend" })
		if r.Faults() == nil {
			t.Errorf("%s: no fault", name)
		}
	}
}
