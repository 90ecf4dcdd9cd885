package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
)

// answersAlike has both nodes answer and compares the answers as JSON. Fields
// of ours that op-geth lacks are allowed, since other clients have more than it.
func answersAlike(ctx context.Context, t *testing.T, ours, theirs *rpc.Client, method string, params ...any) {
	t.Helper()
	var our, their any
	must(t, ours.CallContext(ctx, &our, method, params...))
	must(t, theirs.CallContext(ctx, &their, method, params...))
	if found := differences("", our, their); len(found) > 0 {
		t.Errorf("%s %v differs from op-geth:\n%s", method, params, strings.Join(found, "\n"))
	}
}

// differences lists what their has and our has not, or has otherwise.
func differences(path string, our, their any) (found []string) {
	switch their := their.(type) {
	case map[string]any:
		if our, isObject := our.(map[string]any); isObject {
			for field, value := range their {
				found = append(found, differences(path+"."+field, our[field], value)...)
			}
			return found
		}
	case []any:
		if our, isArray := our.([]any); isArray && len(our) == len(their) {
			for index, value := range their {
				found = append(found, differences(fmt.Sprintf("%s[%d]", path, index), our[index], value)...)
			}
			return found
		}
	}
	if reflect.DeepEqual(our, their) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %s, op-geth has %s", path, asJSON(our), asJSON(their))}
}

// asJSON shortens long values, unless DEVNET_VERBOSE is set.
func asJSON(value any) string {
	const longest = 300
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	if len(encoded) > longest && os.Getenv("DEVNET_VERBOSE") == "" {
		return string(encoded[:longest]) + "..."
	}
	return string(encoded)
}
