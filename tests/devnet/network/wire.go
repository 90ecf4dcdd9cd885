package network

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
)

// Wire leads from a proposer to a builder. Answers can be held back on it, and
// be made lies.
type Wire struct {
	url    string
	server *http.Server

	mu   sync.Mutex
	held chan struct{} // closed when answers go on; nil while none is held back
	lie  func(answer []byte) ([]byte, error)
}

// newWire listens for a proposer whose builder serves at target, once it runs.
func newWire(target string) (*Wire, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, err
	}
	w := &Wire{url: "http://" + listener.Addr().String()}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = w.pass
	// A builder that is gone must look like one.
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	// Connections that break are what this is for.
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	w.server = &http.Server{Handler: proxy}
	go func() {
		// Serve returns ErrServerClosed at close; another error shows as refused connections.
		_ = w.server.Serve(listener)
	}()
	return w, nil
}

// Hold keeps answers back until the returned function is called.
func (w *Wire) Hold() (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := make(chan struct{})
	w.held = held
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.held == held {
			close(held)
			w.held = nil
		}
	}
}

// tell has each block that the builder answers replaced by what lie makes of the
// answer; nil lets it be.
func (w *Wire) tell(lie func(answer []byte) ([]byte, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lie = lie
}

// pass waits until answers may go on, or until nobody waits for this one any more.
func (w *Wire) pass(answer *http.Response) error {
	w.mu.Lock()
	held, lie := w.held, w.lie
	w.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-answer.Request.Context().Done():
			return answer.Request.Context().Err()
		}
	}
	if lie == nil || answer.StatusCode != http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if text, err = lie(text); err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	answer.ContentLength = int64(len(text))
	answer.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return nil
}

func (w *Wire) close() error { return w.server.Close() }
