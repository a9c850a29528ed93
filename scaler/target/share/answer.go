package share

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Answer is what is known of an answer beyond what a client library passes on.
// It is zero where there was none.
type Answer struct {
	// Status is its HTTP status.
	Status int
	// RetryAfter is when to try again, by the header of that name; 0: it does
	// not say.
	RetryAfter time.Duration
	// Date is the time by the clock of the other side; zero: it does not say.
	Date time.Time
}

type noteKey struct{}

type note struct {
	mu     sync.Mutex
	answer Answer
}

// Note returns a context whose requests leave the last one's answer in it, for
// Noted: those through Noting, and those of which NoteResponse is told.
func Note(ctx context.Context) context.Context {
	n := new(note)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { n.set(Answer{}) }})
	return context.WithValue(ctx, noteKey{}, n)
}

func (n *note) set(a Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = a
}

// Noted is the answer to the last request of a context.
func Noted(ctx context.Context) Answer {
	n, ok := ctx.Value(noteKey{}).(*note)
	if !ok {
		return Answer{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.answer
}

// Noting returns a RoundTripper that notes the answers of next.
func Noting(next http.RoundTripper) http.RoundTripper { return noting{next} }

type noting struct{ next http.RoundTripper }

// WrappedRoundTripper is for client-go, which looks for the innermost one.
func (n noting) WrappedRoundTripper() http.RoundTripper { return n.next }

// CloseIdleConnections is for http.Client.
func (n noting) CloseIdleConnections() { closeIdle(n.next) }

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(r)
	if err == nil {
		NoteResponse(resp)
	} else if n, ok := r.Context().Value(noteKey{}).(*note); ok {
		n.set(Answer{})
	}
	return resp, err
}

// NoteResponse notes an answer, for clients that take no RoundTripper.
func NoteResponse(resp *http.Response) {
	if n, ok := resp.Request.Context().Value(noteKey{}).(*note); ok {
		a := Answer{Status: resp.StatusCode, RetryAfter: RetryAfter(resp.Header, time.Now())}
		a.Date, _ = http.ParseTime(resp.Header.Get("Date"))
		n.set(a)
	}
}

func closeIdle(t http.RoundTripper) {
	if c, ok := t.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
