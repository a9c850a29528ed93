package targettest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
)

// Wire is an http.RoundTripper that hands requests to Handler and uses no
// network, so that time may be virtual on both sides (testing/synctest). It
// returns once the handler has answered, or the request's context ends, which
// the handler sees too. One that panics with http.ErrAbortHandler breaks the
// connection off. Nil: no connection is accepted.
type Wire struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (w Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if r.Body != nil {
		defer r.Body.Close()
	}
	if w.Handler == nil {
		return nil, fmt.Errorf("dial %s: connection refused", r.URL.Host)
	}
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.Host, in.RequestURI = cmp.Or(r.Host, r.URL.Host), r.URL.RequestURI()
	// A server reads names in their canonical form, however they were written.
	in.Header = make(http.Header, len(r.Header))
	for name, values := range r.Header {
		in.Header[http.CanonicalHeaderKey(name)] = values
	}
	answers := make(chan *http.Response, 1)
	go func() {
		defer close(answers)
		defer func() {
			v := recover()
			if err, ok := v.(error); v != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
				panic(v)
			}
		}()
		out := httptest.NewRecorder()
		w.Handler.ServeHTTP(out, in)
		answers <- out.Result()
	}()
	select {
	case resp, ok := <-answers:
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		resp.Request = r
		return resp, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Hosts is an http.RoundTripper with a Wire to each host that it has. Others are
// there and accept no connection. The zero value has none; all methods are safe
// for concurrent use.
type Hosts struct {
	mu   sync.Mutex
	here map[string]http.Handler
}

// Serve adds a host and returns its name.
func (h *Hosts) Serve(handler http.Handler) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.here == nil {
		h.here = make(map[string]http.Handler)
	}
	name := strconv.Itoa(len(h.here)+1) + ".test"
	h.here[name] = handler
	return name
}

// RoundTrip implements http.RoundTripper.
func (h *Hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	handler := h.here[r.URL.Host]
	h.mu.Unlock()
	return Wire{handler}.RoundTrip(r)
}

// Hangs takes requests and never answers.
func Hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
