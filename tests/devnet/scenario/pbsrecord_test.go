package scenario

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blockwright.test/devnet/genesis"
)

// pbsRecordEnv names a folder that receives what was on the wire.
const pbsRecordEnv = "PBS_RECORD"

// Around the first block of each fork so many blocks are recorded.
const recordedBefore, recordedAfter = 2, 4

// recordHead is the first line of a recording.
type recordHead struct {
	ChainID          uint64           `json:"chainId"`
	BlockTimeSeconds uint64           `json:"blockTimeSeconds"`
	Proposer         string           `json:"proposer"`
	Builder          string           `json:"builder"`
	Forks            map[string]int64 `json:"forks"`  // activation timestamps, 0 for since genesis
	Stream           string           `json:"stream"` // the head of the stream's answer
}

// recordLine is one of the others: an event of the stream, or an exchange with
// what the proposer made of it.
type recordLine struct {
	Event    string `json:"event,omitempty"`
	Request  string `json:"request,omitempty"`
	Answer   string `json:"answer,omitempty"`
	Proposer string `json:"proposer,omitempty"`
}

// record writes the beginning and the blocks around each fork, if a folder is named.
func (r *pbsRun) record(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv(pbsRecordEnv)
	if folder == "" {
		return
	}
	head := recordHead{ChainID: genesis.L2ChainID, BlockTimeSeconds: 1, Forks: make(map[string]int64)}
	for account, into := range map[uint64]*string{
		genesis.Proposer: &head.Proposer, genesis.Builder: &head.Builder,
	} {
		address, err := genesis.Address(account)
		must(t, err)
		*into = address.Hex()
	}
	for index, fork := range r.forks.names {
		if offset := r.forks.offsets[index]; offset > 0 {
			head.Forks[fork] = int64(r.began) + offset
		} else {
			head.Forks[fork] = 0
		}
	}
	stream, body, err := r.net.Events.Stream()
	must(t, err)
	head.Stream = stream
	events := make(map[uint64]string)
	for _, event := range strings.SplitAfter(body, "\n\n") {
		var fields struct{ Slot uint64 }
		_, data, isEvent := strings.Cut(event, "data: ")
		if !isEvent {
			continue
		}
		must(t, json.Unmarshal([]byte(data), &fields))
		events[fields.Slot] = event
	}
	lines := []any{head}
	for _, one := range r.answered(t) {
		if !r.isRecorded(one.slot) {
			continue
		}
		if event := events[one.slot]; event != "" {
			lines = append(lines, recordLine{Event: event})
		}
		said := one.Reason
		if one.Inserted {
			said = "inserted"
		}
		lines = append(lines, recordLine{Request: one.Request, Answer: one.Answer, Proposer: said})
	}
	file, err := os.Create(filepath.Join(folder, name+".jsonl.gz"))
	must(t, err)
	packed, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	must(t, err)
	encoder := json.NewEncoder(packed)
	encoder.SetEscapeHTML(false)
	for _, line := range lines {
		must(t, encoder.Encode(line))
	}
	must(t, packed.Close())
	must(t, file.Close())
	t.Logf("recorded %d lines in %s", len(lines), file.Name())
}

func (r *pbsRun) isRecorded(slot uint64) bool {
	if slot <= recordedBefore {
		return true
	}
	for _, offset := range r.forks.offsets {
		first := int64(slot) - max(offset, settling)
		if -recordedBefore <= first && first < recordedAfter {
			return true
		}
	}
	return false
}
