package network

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Proposal is a block that the sequencer's side decided on.
type Proposal struct {
	Number uint64
	// Hash is that of the builder's block, and empty where the own one was proposed.
	Hash string
	// Reason is why the own one was, by its name.
	Reason string
}

// ByBuilder says whether the builder's block was proposed.
func (p Proposal) ByBuilder() bool { return p.Hash != "" }

// voice is how a program tells what it proposes: each expression finds the
// number and the hash, or the number and the reason.
type voice struct{ builders, own *regexp.Regexp }

var (
	proposerVoice = voice{
		regexp.MustCompile(`^block (\d+): builder (0x[0-9a-f]{64}),`),
		regexp.MustCompile(`^block (\d+): local 0x[0-9a-f]{64}, ([\w.]+):`),
	}
	engineVoice = voice{
		regexp.MustCompile(`the builder's block is proposed.* number=(\d+) hash=(0x[0-9a-f]{64})`),
		regexp.MustCompile(`our own block is proposed.* number=(\d+) reason="(\w+)"`),
	}
)

// Proposals are all so far, by the number of the block. Blocks that only the
// chain settles are missing.
func (b *BuilderSide) Proposals() (map[uint64]Proposal, error) {
	file, voice := b.files.log("sequencer.log"), engineVoice
	if b.config.ProposerProgram != "" {
		file, voice = b.files.log("proposer.log"), proposerVoice
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return voice.proposals(string(text))
}

func (v voice) proposals(log string) (map[uint64]Proposal, error) {
	found := make(map[uint64]Proposal)
	note := func(parts []string, hash, reason string) error {
		number, err := strconv.ParseUint(parts[1], 10, 64)
		if err != nil {
			return fmt.Errorf("number of a proposal: %w", err)
		}
		found[number] = Proposal{Number: number, Hash: hash, Reason: reason}
		return nil
	}
	for line := range strings.Lines(log) {
		var err error
		if parts := v.builders.FindStringSubmatch(line); parts != nil {
			err = note(parts, parts[2], "")
		} else if parts := v.own.FindStringSubmatch(line); parts != nil {
			err = note(parts, "", parts[2])
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
