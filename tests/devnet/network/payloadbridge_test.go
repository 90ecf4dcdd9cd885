package network

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// recordingEngine answers fork choices by a payload id that tells the
// timestamp, and everything else by the name of the method it was asked for.
func recordingEngine(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request call
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var result any = request.Method + " " + r.Header.Get("Authorization")
	if request.Method == "engine_forkchoiceUpdatedV3" {
		var attributes struct {
			Timestamp string `json:"timestamp"`
		}
		_ = json.Unmarshal(request.Params[1], &attributes)
		result = map[string]any{"payloadId": attributes.Timestamp}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": request.ID, "result": result})
}

func TestBridgeRaisesTheVersionOfKarstPayloadsOnly(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(recordingEngine))
	defer engine.Close()
	file := filepath.Join(t.TempDir(), "rollup.json")
	if err := os.WriteFile(file, []byte(`{"karst_time": 100}`), 0o600); err != nil {
		t.Fatal(err)
	}
	bridge, err := newPayloadBridge(engine.URL, file)
	if err != nil {
		t.Fatal(err)
	}
	defer bridge.close()
	client, err := rpc.DialOptions(context.Background(), bridge.url, rpc.WithHeader("Authorization", "Bearer x"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	for timestamp, want := range map[uint64]string{99: "engine_getPayloadV4", 100: "engine_getPayloadV5"} {
		var choice struct {
			PayloadID string `json:"payloadId"`
		}
		attributes := map[string]any{"timestamp": hexutil.EncodeUint64(timestamp)}
		if err := client.Call(&choice, "engine_forkchoiceUpdatedV3", map[string]any{}, attributes); err != nil {
			t.Fatal(err)
		}
		var asked string
		if err := client.Call(&asked, "engine_getPayloadV4", choice.PayloadID); err != nil {
			t.Fatal(err)
		}
		if asked != want+" Bearer x" {
			t.Errorf("timestamp %d: the engine was asked for %q, want %q with the token", timestamp, asked, want)
		}
	}
	var asked string
	if err := client.Call(&asked, "eth_chainId"); err != nil || asked != "eth_chainId Bearer x" {
		t.Errorf("another call came through as %q, %v", asked, err)
	}
}
