package scenario

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
)

// headClock notes when each block became the head.
type headClock struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	worst  arrival
}

// arrival is how long after its timestamp a block became the head.
type arrival struct {
	number uint64
	lag    time.Duration
}

// settling is how many blocks a chain has to catch up with the clock, which
// runs from genesis on.
const settling = 10

func startHeadClock(ctx context.Context, client *ethclient.Client) *headClock {
	const look = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(ctx)
	c := &headClock{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		ticker := time.NewTicker(look)
		defer ticker.Stop()
		for last := uint64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			head, err := client.HeaderByNumber(ctx, nil)
			if err != nil || head.Number.Uint64() == last {
				continue
			}
			last = head.Number.Uint64()
			c.note(arrival{last, time.Since(time.Unix(int64(head.Time), 0))})
		}
	}()
	return c
}

func (c *headClock) note(one arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one.number > settling && (c.worst.number == 0 || one.lag > c.worst.lag) {
		c.worst = one
	}
}

// latest is the block that was furthest behind its timestamp.
func (c *headClock) latest() arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.worst
}

// forget lets latest look at later blocks alone.
func (c *headClock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worst = arrival{}
}

func (c *headClock) stop() {
	c.cancel()
	<-c.done
}
