package share

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"1.5":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"18446744073709551615":          maxRetryAfter,
		"Sun, 01 Mar 2026 12:01:30 GMT": 90 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"Fri, 01 Mar 2126 12:00:00 GMT": maxRetryAfter,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {header}}, now); got != want {
			t.Errorf("Retry-After %q: %v, want %v", header, got, want)
		}
	}
}

func TestRetryAfterMilliseconds(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"1500": 1500 * time.Millisecond, "0": 7 * time.Second, "-1": 7 * time.Second, "soon": 7 * time.Second, "": 7 * time.Second,
		"4000000000": maxRetryAfter,
	} {
		h := http.Header{"Retry-After": {"7"}, "X-After-Ms": {header}}
		if got := RetryAfter(h, time.Now(), "X-Other-Ms", "X-After-Ms"); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	date := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", date.Format(http.TimeFormat))
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusConflict)
	}))
	defer srv.Close()
	client := &http.Client{Transport: Noting(http.DefaultTransport)}
	defer client.CloseIdleConnections()
	get := func(ctx context.Context, url string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	ctx := Note(t.Context())
	get(ctx, srv.URL)
	if got, want := Noted(ctx), (Answer{Status: 409, RetryAfter: 7 * time.Second, Date: date}); got != want {
		t.Errorf("noted %+v, want %+v", got, want)
	}
	if err := NotedError(ctx); err != nil {
		t.Errorf("noted %v beside an answer", err)
	}
	get(ctx, "http://127.0.0.1:1")
	get(t.Context(), srv.URL)
	if NotedError(ctx) == nil || NotedError(t.Context()) != nil {
		t.Errorf("noted %v of a request without an answer, %v where nobody asked", NotedError(ctx), NotedError(t.Context()))
	}
	if got := Noted(ctx); got != (Answer{}) {
		t.Errorf("noted %+v of a request without an answer", got)
	}
	if got := Noted(t.Context()); got != (Answer{}) {
		t.Errorf("noted %+v where nobody asked", got)
	}
}
