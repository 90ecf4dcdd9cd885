package network

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/common"
)

// beaconRoots are what a stream of payload attributes has told of the blocks
// that are to be built. Everything else in a payload tells itself.
type beaconRoots struct {
	mu     sync.Mutex
	byHash map[common.Hash]common.Hash // by the hash of the parent
}

// followAttributes reads the stream at url until ctx is over.
func followAttributes(ctx context.Context, url string) (*beaconRoots, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events?stream=payload_attributes", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("payload attributes: %s", answer.Status)
	}
	roots := &beaconRoots{byHash: make(map[common.Hash]common.Hash)}
	go func() {
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		const lineBytesMax = 1 << 20
		lines.Buffer(nil, lineBytesMax)
		for lines.Scan() {
			var event struct {
				Parent common.Hash `json:"blockHash"`
				Root   common.Hash `json:"parentBeaconBlockRoot"`
			}
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			if !isData || json.Unmarshal([]byte(data), &event) != nil {
				continue // a root that is missing shows where it is needed
			}
			roots.mu.Lock()
			roots.byHash[event.Parent] = event.Root
			roots.mu.Unlock()
		}
	}()
	return roots, nil
}

func (r *beaconRoots) onParent(hash common.Hash) (root common.Hash, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	root, known = r.byHash[hash]
	return root, known
}
