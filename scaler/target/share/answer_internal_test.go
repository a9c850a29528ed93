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
	get(ctx, "http://127.0.0.1:1")
	get(t.Context(), srv.URL)
	if got := Noted(ctx); got != (Answer{}) {
		t.Errorf("noted %+v of a request without an answer", got)
	}
	if got := Noted(t.Context()); got != (Answer{}) {
		t.Errorf("noted %+v where nobody asked", got)
	}
}
