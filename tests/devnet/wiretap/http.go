package wiretap

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"
	"time"
)

// Exchange is a request and its answer, as they were on the wire.
type Exchange struct {
	AskedAt, AnsweredAt time.Time
	// Request and Answer are heads and bodies.
	Request, Answer string
	// Body is the answer's body and Status its status.
	Body   []byte
	Status int
}

// Exchanges are the whole exchanges so far, by the time of their requests.
func (t *Tap) Exchanges() ([]Exchange, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Exchange
	for _, c := range t.calls {
		found, err := c.exchanges()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a].AskedAt.Before(all[b].AskedAt) })
	return all, nil
}

func (c *call) exchanges() (all []Exchange, err error) {
	asked, told := newReader(&c.asked), newReader(&c.told)
	for {
		request, err := http.ReadRequest(asked.buffered)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if incomplete(err) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("a request on the wire: %w", err)
		}
		exchange := Exchange{}
		exchange.Request, exchange.AskedAt = asked.taken()
		answer, err := http.ReadResponse(told.buffered, request)
		if err == nil {
			exchange.Status = answer.StatusCode
			exchange.Body, err = io.ReadAll(answer.Body)
		}
		if incomplete(err) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("an answer on the wire: %w", err)
		}
		exchange.Answer, exchange.AnsweredAt = told.taken()
		all = append(all, exchange)
	}
}

// Stream is what the server sent without an end, as events come: the head of the
// newest such answer and its body so far, with the chunks joined.
func (t *Tap) Stream() (head, body string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		raw := newReader(&c.told)
		answer, err := http.ReadResponse(raw.buffered, nil)
		if incomplete(err) {
			continue
		}
		if err != nil {
			return "", "", fmt.Errorf("an answer on the wire: %w", err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil && !incomplete(err) {
			return "", "", fmt.Errorf("a stream on the wire: %w", err)
		}
		head, _, _ = strings.Cut(string(c.told.bytes), "\r\n\r\n")
		body += string(text)
	}
	return head + "\r\n\r\n", body, nil
}

// reader knows where in a record it is.
type reader struct {
	record   *record
	bytes    *bytes.Reader
	buffered *bufio.Reader
	from     int
}

func newReader(r *record) *reader {
	bytes := bytes.NewReader(r.bytes)
	return &reader{record: r, bytes: bytes, buffered: bufio.NewReader(bytes)}
}

// taken is what was read since it was called last, and when it began.
func (r *reader) taken() (string, time.Time) {
	to := len(r.record.bytes) - r.bytes.Len() - r.buffered.Buffered()
	from := r.from
	r.from = to
	return string(r.record.bytes[from:to]), r.record.at(from)
}
