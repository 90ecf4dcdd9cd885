package network

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWireHoldsAnswersBackAndHidesNoDeath(t *testing.T) {
	asked := make(chan struct{}, 1)
	builder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		_, _ = io.WriteString(w, "a block")
	}))
	defer builder.Close()
	wire, err := newWire(builder.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer wire.close()

	release := wire.Hold()
	answered := make(chan string)
	go func() {
		answer, err := http.Get(wire.url)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		answered <- string(text)
	}()
	<-asked
	select {
	case text := <-answered:
		t.Fatalf("%q came although it was held back", text)
	default:
	}
	release()
	if text := <-answered; text != "a block" {
		t.Errorf("the answer came as %q", text)
	}
	builder.Close()
	if answer, err := http.Get(wire.url); err == nil {
		answer.Body.Close()
		t.Errorf("a builder that is gone answers with status %d", answer.StatusCode)
	}
}
