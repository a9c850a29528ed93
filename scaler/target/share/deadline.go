package share

import (
	"fmt"
	"net/http"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

const (
	// unreturned bounds the requests of one client that have not returned.
	unreturned = 64
	// lastWord is how long a request may take to say itself why it did not come
	// to an end in time.
	lastWord = 100 * time.Millisecond
)

// deadline is a RoundTripper whose requests end with their contexts.
type deadline struct {
	next http.RoundTripper
	out  chan struct{} // holds one of each request that has not returned
}

// Deadline returns a RoundTripper that returns a moment after the end of a
// request's context at the latest, whatever next does: what libraries do before
// a request, such as to read a token from a disk that hangs, may know no
// context. What does not return goes on behind it, within bounds: once 64
// requests do, others wait.
func Deadline(next http.RoundTripper) http.RoundTripper {
	return &deadline{next: next, out: make(chan struct{}, unreturned)}
}

// WrappedRoundTripper is for client-go, which looks for the innermost one.
func (d *deadline) WrappedRoundTripper() http.RoundTripper { return d.next }

// CloseIdleConnections is for http.Client.
func (d *deadline) CloseIdleConnections() { closeIdle(d.next) }

// RoundTrip implements http.RoundTripper.
func (d *deadline) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	select {
	case d.out <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%d earlier requests of this client have not returned: %w", unreturned, ctx.Err())
	}
	type answer struct {
		resp *http.Response
		err  error
	}
	answers := make(chan answer)
	left := make(chan struct{})
	go func() {
		var resp *http.Response
		err := recovery.Do(recovery.Reading, func() (err error) {
			resp, err = d.next.RoundTrip(r)
			return err
		})
		<-d.out
		select {
		case answers <- answer{resp, err}:
		case <-left:
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	select {
	case a := <-answers:
		return a.resp, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-answers:
		return a.resp, a.err
	case <-time.After(lastWord):
		close(left)
		return nil, ctx.Err()
	}
}
