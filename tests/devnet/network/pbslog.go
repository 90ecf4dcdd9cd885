package network

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// PBSVerdict is what a proposer made of one request to its builder.
type PBSVerdict struct {
	// Hash and Number are of the builder's block, where there was one that agreed with its bid.
	Hash   string
	Number uint64
	// Inserted says that the block became the proposer's.
	Inserted bool
	// Reason says why it did not.
	Reason string
}

// What the op-node logs. It spells as it does.
const (
	logReceived = "received payload from builder"
	logInserted = "succeessfully inserted payload from builder"
	logLessGas  = "builder payload has lower gas usage than engine payload"
	logNotTaken = "failed to insert payload from builder"
	logFailed   = "failed to get payload from builder"
	logTimeout  = "builder request timed out"
)

// Verdicts reads what the log tells, in the order of the requests.
func (n *PBSNode) Verdicts() ([]PBSVerdict, error) {
	file, err := os.Open(n.LogFile())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []PBSVerdict
	open := PBSVerdict{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue
		}
		var line struct {
			Message string `json:"msg"`
			Hash    string `json:"hash"`
			Number  uint64 `json:"number"`
			Error   string `json:"error"`
		}
		// Some lines have keys of other types; they are none of these.
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			continue
		}
		switch line.Message {
		case logReceived:
			open = PBSVerdict{Hash: line.Hash, Number: line.Number}
			continue
		case logInserted:
			open.Inserted = true
		case logLessGas:
			open.Reason = line.Message
		case logNotTaken, logFailed, logTimeout:
			open.Reason = fmt.Sprintf("%s: %s", line.Message, line.Error)
		default:
			continue
		}
		all = append(all, open)
		open = PBSVerdict{}
	}
	return all, lines.Err()
}
