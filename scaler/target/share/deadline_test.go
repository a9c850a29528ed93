package share_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// deaf is a RoundTripper that knows no context.
type deaf struct {
	asked, closed atomic.Int32
	goOn          chan struct{}
}

func (d *deaf) RoundTrip(*http.Request) (*http.Response, error) {
	d.asked.Add(1)
	<-d.goOn
	return &http.Response{StatusCode: http.StatusOK, Body: body{strings.NewReader("here"), d}}, nil
}

type body struct {
	io.Reader
	d *deaf
}

func (b body) Close() error {
	b.d.closed.Add(1)
	return nil
}

func request(t *testing.T, ctx context.Context) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDeadline(t *testing.T) {
	d := &deaf{goOn: make(chan struct{})}
	rt := share.Deadline(d)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	const more = 200
	var asking sync.WaitGroup
	for range more {
		asking.Go(func() {
			resp, err := rt.RoundTrip(request(t, ctx)) //nolint:bodyclose // there is none
			if !errors.Is(err, context.DeadlineExceeded) || resp != nil {
				t.Errorf("%v, %v; want the deadline", resp, err)
			}
		})
	}
	asking.Wait()
	asked := d.asked.Load()
	if asked >= more {
		t.Errorf("%d requests hang, want a bound", asked)
	}
	close(d.goOn)
	for d.closed.Load() < d.asked.Load() {
		time.Sleep(time.Millisecond)
	}
	resp, err := rt.RoundTrip(request(t, t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "here" {
		t.Errorf("answers %q", b)
	}
}
