package preconf

import (
	"bytes"
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"
)

// Verdict says how a payload's promise ended.
type Verdict struct {
	// Broken is nil where the block begins with the promised transactions, in order.
	Broken error
	// Whole is whether the block holds them and nothing else.
	Whole bool
}

// Judge holds the promise against the block of its number that became canonical.
func (p *Payload) Judge(block *types.Block) (Verdict, error) {
	included := block.Transactions()
	for position, promised := range p.Transactions {
		if position >= len(included) {
			return Verdict{Broken: p.broken("transaction %d of %d is missing", position, len(p.Transactions))}, nil
		}
		raw, err := included[position].MarshalBinary()
		if err != nil {
			return Verdict{}, err
		}
		if !bytes.Equal(raw, promised) {
			return Verdict{Broken: p.broken("transaction %d is another: %s", position, included[position].Hash())}, nil
		}
	}
	return Verdict{Whole: len(included) == len(p.Transactions)}, nil
}

func (p *Payload) broken(format string, args ...any) error {
	return fmt.Errorf("payload %s of block %d: %s", p.ID, p.Number, fmt.Sprintf(format, args...))
}
