package webhook

import (
	"context"
	"net/http"
	"time"
)

const (
	// DefaultWriteTimeout is how long an answer may take to be read, beside what
	// its size takes.
	DefaultWriteTimeout = 30 * time.Second
	// defaultLeastRate is how many bytes of a long answer a reader must take a
	// second.
	defaultLeastRate = 128 << 10
)

// CloseUnread has the connection closed that a request comes by, unless the
// handler has read all of its body: the answer does not wait then for a body
// that may never end. It goes around everything else that answers,
// authentication too.
func CloseUnread(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
		if w.Header().Get("Connection") == "close" {
			tell(r, phaseAnswered)
		}
	})
}

// patient is the answer to a request that may take its time to be made, and
// must then be read.
type patient struct {
	http.ResponseWriter
	conn    *http.ResponseController
	timeout time.Duration
	rate    int // bytes a second
	started bool
}

// Unwrap is for http.ResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if !p.started {
		p.started = true
		// Servers that cannot set one, as in tests, bound the answer by other
		// means.
		_ = p.conn.SetWriteDeadline(time.Now().Add(p.timeout + time.Duration(len(b)/p.rate)*time.Second))
	}
	return p.ResponseWriter.Write(b)
}

// bounded answers so many requests at once, and 503 to others: each has its
// answer in memory, for as long as the client takes to read it.
func bounded(atOnce int, o Options, next http.Handler) http.Handler {
	slots := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				w.Header().Set("Retry-After", "1")
				http.Error(w, "too many requests at once, try again", http.StatusServiceUnavailable)
				return
			}
		}
		conn := http.NewResponseController(w)
		_ = conn.SetReadDeadline(time.Time{}) // it would end the request's context
		_ = conn.SetWriteDeadline(time.Time{})
		next.ServeHTTP(&patient{ResponseWriter: w, conn: conn, timeout: o.WriteTimeout, rate: o.leastRate}, r)
	})
}
