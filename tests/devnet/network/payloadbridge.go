package network

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// payloadBridge stands between op-node v1.17.0 and an engine on a chain with
// Karst: that op-node knows Karst's upgrade deposits, but still asks for
// Karst's payloads by engine_getPayloadV4, where V5 is due. The bridge raises
// the version in these calls, whose answers have the same fields, and passes
// all else on as it is.
type payloadBridge struct {
	url    string
	engine string
	karst  uint64 // activation time
	server *http.Server

	mu  sync.Mutex
	ids map[string]struct{} // ids of payloads of Karst
}

func newPayloadBridge(engine, rollupFile string) (*payloadBridge, error) {
	text, err := os.ReadFile(rollupFile)
	if err != nil {
		return nil, err
	}
	var config rollup.Config
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", rollupFile, err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, err
	}
	bridge := &payloadBridge{
		url: "http://" + listener.Addr().String(), engine: engine,
		karst: math.MaxUint64, ids: make(map[string]struct{}),
	}
	if config.KarstTime != nil {
		bridge.karst = *config.KarstTime
	}
	bridge.server = &http.Server{Handler: bridge}
	go func() {
		// Serve returns ErrServerClosed at close; another error shows as refused connections.
		_ = bridge.server.Serve(listener)
	}()
	return bridge, nil
}

func (b *payloadBridge) close() error { return b.server.Close() }

// call is the part of a JSON-RPC request that the bridge looks at.
type call struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params,omitempty"`
}

// ServeHTTP passes one request on.
func (b *payloadBridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var request call
	if json.Unmarshal(body, &request) == nil && request.Method == "engine_getPayloadV4" && b.isKarst(request) {
		request.Method = "engine_getPayloadV5"
		if body, err = json.Marshal(request); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	onward, err := http.NewRequestWithContext(r.Context(), r.Method, b.engine, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	onward.Header = r.Header.Clone()
	// Without this the answer comes back compressed and could not be read here.
	onward.Header.Del("Accept-Encoding")
	answer, err := http.DefaultClient.Do(onward)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	b.learn(request, text)
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(text)
}

// learn remembers the payload id when the request began a payload of Karst.
func (b *payloadBridge) learn(request call, answer []byte) {
	if request.Method != "engine_forkchoiceUpdatedV3" || len(request.Params) < 2 {
		return
	}
	var attributes *struct {
		Timestamp hexutil.Uint64 `json:"timestamp"`
	}
	var response struct {
		Result struct {
			PayloadID string `json:"payloadId"`
		} `json:"result"`
	}
	err := errors.Join(json.Unmarshal(request.Params[1], &attributes), json.Unmarshal(answer, &response))
	if err != nil || attributes == nil || uint64(attributes.Timestamp) < b.karst || response.Result.PayloadID == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids[response.Result.PayloadID] = struct{}{}
}

func (b *payloadBridge) isKarst(request call) bool {
	var id string
	if len(request.Params) != 1 || json.Unmarshal(request.Params[0], &id) != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.ids[id]
	return known
}
