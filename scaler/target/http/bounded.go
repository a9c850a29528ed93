package http

import (
	"net/http"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// bounded ends a request with its context where the transport below does not:
// that of OAuth 2 waits for its token server as long as that takes.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	type result struct {
		res *http.Response
		err error
	}
	done := make(chan result, 1)
	go func() {
		var res *http.Response
		err := recovery.Do(recovery.Reading, func() (err error) {
			res, err = b.next.RoundTrip(r)
			return err
		})
		done <- result{res, err}
	}()
	select {
	case got := <-done:
		return got.res, got.err
	case <-r.Context().Done():
		go func() {
			if late := <-done; late.res != nil {
				_ = late.res.Body.Close()
			}
		}()
		return nil, r.Context().Err()
	}
}

// CloseIdleConnections is what http.Client looks for.
func (b bounded) CloseIdleConnections() {
	if c, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
