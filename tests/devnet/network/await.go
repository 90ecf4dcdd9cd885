// Package network starts the parts of a devnet and lets tests wait for what
// they do.
package network

import (
	"context"
	"fmt"
	"time"

	"blockwright.test/devnet/process"
)

// pollInterval is how often a condition is looked at.
const pollInterval = 100 * time.Millisecond

// Await looks at check until it returns nil and returns the last error once
// ctx is over. It gives up early when one of the processes ends.
func Await(ctx context.Context, what string, check func(context.Context) error, needed ...*process.Process) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		last := check(ctx)
		if last == nil {
			return nil
		}
		for _, p := range needed {
			if err := p.Ended(); err != nil {
				return fmt.Errorf("waiting for %s: %w", what, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last seen: %w", what, ctx.Err(), last)
		case <-ticker.C:
		}
	}
}
