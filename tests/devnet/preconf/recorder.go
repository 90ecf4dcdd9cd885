// Package preconf records a stream of flashblocks and holds what it promised
// against the chain.
package preconf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/gorilla/websocket"
)

// reconnectPause is how long a server is left alone that is not there.
const reconnectPause = 20 * time.Millisecond

// Frame is one flashblock, as far as it is a promise.
type Frame struct {
	PayloadID string
	Index     uint64
	Number    uint64 // of the block
	// Transactions are those that are new in this flashblock, as raw bytes.
	Transactions []hexutil.Bytes
	ArrivedAt    time.Time
}

// Payload is what was promised under one payload id.
type Payload struct {
	ID     string
	Number uint64
	// Transactions of all its flashblocks, in order.
	Transactions []hexutil.Bytes
	// Flashblocks is how many there were.
	Flashblocks uint64
	// LastAt is when the last of them arrived.
	LastAt time.Time
}

// Recorder is a subscriber that remembers everything.
type Recorder struct {
	cancel  context.CancelFunc
	done    chan struct{}
	mu      sync.Mutex
	frames  []Frame
	changed chan struct{} // closed and replaced with every frame
	faults  []error
}

// Record follows the stream at url, over restarts of its server, until Stop.
func Record(ctx context.Context, url string) (*Recorder, error) {
	connection, err := dial(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("flashblocks at %s: %w", url, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Recorder{cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(r.done)
		for ctx.Err() == nil {
			r.read(ctx, connection)
			for ctx.Err() == nil {
				if connection, err = dial(ctx, url); err == nil {
					break
				}
				time.Sleep(reconnectPause)
			}
		}
	}()
	return r, nil
}

func dial(ctx context.Context, url string) (*websocket.Conn, error) {
	connection, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	return connection, err
}

// Stop ends the recording.
func (r *Recorder) Stop() {
	r.cancel()
	<-r.done
}

// Faults are frames that could not be read or that contradict others.
func (r *Recorder) Faults() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.faults...)
}

// Await returns the first frame from now on that is wanted.
func (r *Recorder) Await(ctx context.Context, wanted func(Frame) bool) (Frame, error) {
	r.mu.Lock()
	seen := len(r.frames)
	r.mu.Unlock()
	for {
		r.mu.Lock()
		for ; seen < len(r.frames); seen++ {
			if frame := r.frames[seen]; wanted(frame) {
				r.mu.Unlock()
				return frame, nil
			}
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return Frame{}, fmt.Errorf("no such flashblock: %w", ctx.Err())
		case <-changed:
		}
	}
}

// Payloads are the promises so far, in the order in which they began.
func (r *Recorder) Payloads() []Payload {
	r.mu.Lock()
	defer r.mu.Unlock()
	var order []string
	payloads := make(map[string]*Payload)
	for _, frame := range r.frames {
		p, known := payloads[frame.PayloadID]
		if !known {
			p = &Payload{ID: frame.PayloadID, Number: frame.Number}
			payloads[frame.PayloadID] = p
			order = append(order, frame.PayloadID)
		}
		p.Transactions = append(p.Transactions, frame.Transactions...)
		p.Flashblocks++
		p.LastAt = frame.ArrivedAt
	}
	all := make([]Payload, 0, len(order))
	for _, id := range order {
		all = append(all, *payloads[id])
	}
	return all
}

func (r *Recorder) read(ctx context.Context, connection *websocket.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	defer connection.Close()
	for {
		_, text, err := connection.ReadMessage()
		if err != nil {
			return // the server has ended, or Stop was called
		}
		frame, err := decode(text)
		r.mu.Lock()
		if err == nil {
			err = r.take(frame)
		}
		if err != nil {
			r.faults = append(r.faults, err)
		}
		r.mu.Unlock()
	}
}

func decode(text []byte) (Frame, error) {
	var message struct {
		PayloadID string `json:"payload_id"`
		Index     uint64 `json:"index"`
		Diff      struct {
			Transactions []hexutil.Bytes `json:"transactions"`
		} `json:"diff"`
		Metadata struct {
			Number *uint64 `json:"block_number"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return Frame{}, fmt.Errorf("frame %.100s…: %w", text, err)
	}
	if message.Metadata.Number == nil {
		return Frame{}, fmt.Errorf("frame %.100s…: no metadata.block_number", text)
	}
	return Frame{
		PayloadID: message.PayloadID, Index: message.Index, Number: *message.Metadata.Number,
		Transactions: message.Diff.Transactions, ArrivedAt: time.Now(),
	}, nil
}

// take keeps a frame. A replay after a reconnect must repeat what was sent, and
// new frames must follow without a gap.
func (r *Recorder) take(frame Frame) error {
	next := uint64(0)
	for _, earlier := range slices.Backward(r.frames) {
		if earlier.PayloadID != frame.PayloadID {
			continue
		}
		if earlier.Index == frame.Index {
			if !slices.EqualFunc(earlier.Transactions, frame.Transactions, bytesEqual) {
				return fmt.Errorf("payload %s has two flashblocks %d", frame.PayloadID, frame.Index)
			}
			return nil
		}
		next = max(next, earlier.Index+1)
	}
	if frame.Index != next {
		return fmt.Errorf("payload %s of block %d: flashblock %d where %d is due", frame.PayloadID, frame.Number, frame.Index, next)
	}
	r.frames = append(r.frames, frame)
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

func bytesEqual(one, other hexutil.Bytes) bool { return bytes.Equal(one, other) }
