// Package wiretap stands between a client and a server on the loopback
// interface and keeps every byte of both directions.
package wiretap

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Tap is a listener that connects whoever comes with one target.
type Tap struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	calls []*call
}

// call is one connection.
type call struct {
	client, server net.Conn
	asked, told    record
}

// record is what went by in one direction, and when.
type record struct {
	bytes  []byte
	pieces []piece
}

// piece says that from offset on bytes came at this time.
type piece struct {
	offset int
	at     time.Time
}

// Listen starts a tap before target, an address with a port.
func Listen(target string) (*Tap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &Tap{listener: listener, target: target}
	t.running.Add(1)
	go t.accept()
	return t, nil
}

// Addr is where the tap listens.
func (t *Tap) Addr() string { return t.listener.Addr().String() }

// Close ends all connections and waits until nothing is recorded any more.
func (t *Tap) Close() error {
	err := t.listener.Close()
	t.mu.Lock()
	for _, c := range t.calls {
		c.close()
	}
	t.mu.Unlock()
	t.running.Wait()
	return err
}

func (t *Tap) accept() {
	defer t.running.Done()
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", t.target)
		if err != nil {
			client.Close()
			continue
		}
		c := &call{client: client, server: server}
		t.mu.Lock()
		t.calls = append(t.calls, c)
		t.mu.Unlock()
		t.running.Add(2)
		go t.pass(c, client, server, &c.asked)
		go t.pass(c, server, client, &c.told)
	}
}

func (c *call) close() {
	c.client.Close()
	c.server.Close()
}

// pass hands on what comes from one side until either side has gone.
func (t *Tap) pass(c *call, from, to net.Conn, into *record) {
	defer t.running.Done()
	defer c.close()
	buffer := make([]byte, 64<<10)
	for {
		size, err := from.Read(buffer)
		if size > 0 {
			t.mu.Lock()
			into.pieces = append(into.pieces, piece{len(into.bytes), time.Now()})
			into.bytes = append(into.bytes, buffer[:size]...)
			t.mu.Unlock()
			if _, err := to.Write(buffer[:size]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// at is when the byte at this offset came.
func (r *record) at(offset int) time.Time {
	at := time.Time{}
	for _, piece := range r.pieces {
		if piece.offset > offset {
			break
		}
		at = piece.at
	}
	return at
}

// incomplete says that a message had not ended when the record did.
func incomplete(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
