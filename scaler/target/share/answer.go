package share

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
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

// note is what came of the last request; nil: there was none.
type note = atomic.Pointer[outcome]

type outcome struct {
	answer Answer
	err    error
}

// Note returns a context whose requests leave the last one's answer in it, for
// Noted: those through Noting, and those of which NoteResponse or NoteError is
// told.
func Note(ctx context.Context) context.Context {
	n := new(note)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { n.Store(nil) }})
	return context.WithValue(ctx, noteKey{}, n)
}

// noteOf is that of a context, or one that nobody reads.
func noteOf(ctx context.Context) *note {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n
	}
	return new(note)
}

// Noted is the answer to the last request of a context.
func Noted(ctx context.Context) Answer { return Value(noteOf(ctx).Load()).answer }

// NotedError is why the last request of a context came to nothing; nil where it
// has an answer, or nobody noted anything.
func NotedError(ctx context.Context) error { return Value(noteOf(ctx).Load()).err }

// Noting returns a RoundTripper that notes the answers of next.
func Noting(next http.RoundTripper) http.RoundTripper { return noting{around{next}} }

type noting struct{ around }

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(r)
	if err == nil {
		NoteResponse(resp)
	} else {
		NoteError(r.Context(), err)
	}
	return resp, err
}

// NoteResponse notes an answer, for clients that take no RoundTripper.
func NoteResponse(resp *http.Response) {
	a := Answer{Status: resp.StatusCode, RetryAfter: RetryAfter(resp.Header, time.Now())}
	a.Date, _ = http.ParseTime(resp.Header.Get("Date"))
	noteOf(resp.Request.Context()).Store(&outcome{answer: a})
}

// NoteError notes why a request has no answer, for clients that take no
// RoundTripper; nil: it has one.
func NoteError(ctx context.Context, err error) { noteOf(ctx).Store(&outcome{err: err}) }

// around is what a RoundTripper around another one has to have.
type around struct{ next http.RoundTripper }

// WrappedRoundTripper is for client-go, which looks for the innermost one.
func (a around) WrappedRoundTripper() http.RoundTripper { return a.next }

// CloseIdleConnections is for http.Client.
func (a around) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
