package network

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// Wire leads from a proposer to a builder. Answers can be held back on it.
type Wire struct {
	url    string
	server *http.Server

	mu   sync.Mutex
	held chan struct{} // closed when answers go on; nil while none is held back
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

// pass waits until answers may go on, or until nobody waits for this one any more.
func (w *Wire) pass(answer *http.Response) error {
	w.mu.Lock()
	held := w.held
	w.mu.Unlock()
	if held == nil {
		return nil
	}
	select {
	case <-held:
		return nil
	case <-answer.Request.Context().Done():
		return answer.Request.Context().Err()
	}
}

func (w *Wire) close() error { return w.server.Close() }
