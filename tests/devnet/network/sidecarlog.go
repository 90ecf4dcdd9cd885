package network

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Sealed is a block that rollup-boost handed to op-node.
type Sealed struct {
	Number    uint64
	Hash      string
	PayloadID string
	// ByBuilder is false where the fallback's block was taken.
	ByBuilder bool
}

// Complaint is an error that rollup-boost logged.
type Complaint struct {
	Message string
	Detail  string
}

type logLine struct {
	Level  string `json:"level"`
	Fields struct {
		Message   string `json:"message"`
		Number    string `json:"number"`
		Hash      string `json:"hash"`
		PayloadID string `json:"payload_id"`
		Context   string `json:"context"`
		Error     string `json:"error"`
	} `json:"fields"`
}

// complaint is a message without what differs from case to case.
func complaint(message string) string {
	if message == "" {
		return "a call that failed"
	}
	short, _, _ := strings.Cut(message, ", retrying in ")
	return short
}

// ReadLog gives what rollup-boost has sealed and what it has complained of so far.
func (s *Sidecar) ReadLog() (sealed []Sealed, complaints []Complaint, err error) {
	file, err := os.Open(s.LogFile())
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	const lineBytesMax = 1 << 20
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		var line logLine
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // the command line, or one that is being written
		}
		fields := line.Fields
		switch {
		case fields.Message == "returning block":
			number, err := strconv.ParseUint(fields.Number, 10, 64)
			if err != nil {
				return nil, nil, fmt.Errorf("log of rollup-boost: number of a block: %w", err)
			}
			sealed = append(sealed, Sealed{
				Number: number, Hash: fields.Hash, PayloadID: fields.PayloadID, ByBuilder: fields.Context == "builder",
			})
		case line.Level == "ERROR":
			complaints = append(complaints, Complaint{Message: complaint(fields.Message), Detail: fields.Error})
		}
	}
	return sealed, complaints, lines.Err()
}
