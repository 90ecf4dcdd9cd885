package wiretap

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// listen puts a tap before a server that answers by serve.
func listen(t *testing.T, serve http.HandlerFunc) *Tap {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	tap, err := Listen(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tap.Close() })
	return tap
}

func TestExchangesAreWhatWasOnTheWire(t *testing.T) {
	tap := listen(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s twice", body)
	})
	const count = 3 // on one connection
	for index := range count {
		answer, err := http.Post("http://"+tap.Addr()+"/path", "text/plain", strings.NewReader(fmt.Sprint("body ", index)))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	all, err := tap.Exchanges()
	if err != nil || len(all) != count {
		t.Fatalf("%d exchanges, %v", len(all), err)
	}
	for index, one := range all {
		begin, end := "POST /path HTTP/1.1\r\n", fmt.Sprintf("\r\n\r\nbody %d", index)
		if !strings.HasPrefix(one.Request, begin) || !strings.HasSuffix(one.Request, end) {
			t.Errorf("request %d: %q", index, one.Request)
		}
		if one.Status != http.StatusTeapot || !strings.HasSuffix(one.Answer, fmt.Sprintf("body %d twice", index)) {
			t.Errorf("answer %d: %d %q", index, one.Status, one.Answer)
		}
		if one.AnsweredAt.Before(one.AskedAt) {
			t.Errorf("answered at %s, asked at %s", one.AnsweredAt, one.AskedAt)
		}
	}
}

func TestAStreamIsReadWhileItIsOpen(t *testing.T) {
	tap := listen(t, func(w http.ResponseWriter, r *http.Request) {
		for range 2 {
			fmt.Fprint(w, "data: x\n\n")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	answer, err := http.Get("http://" + tap.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	const events = "data: x\n\ndata: x\n\n"
	if _, err := io.ReadFull(answer.Body, make([]byte, len(events))); err != nil {
		t.Fatal(err)
	}
	head, body, err := tap.Stream()
	if err != nil || body != events || !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %q, %v", head, body, err)
	}
}
