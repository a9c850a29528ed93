package share_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// TestStatusKind: no status of an answer that is a refusal is without a kind, and
// none is taken for consent.
func TestStatusKind(t *testing.T) {
	t.Parallel()
	known := map[int]target.Kind{
		401: target.KindUnauthorized, 402: target.KindQuota, 403: target.KindUnauthorized, 404: target.KindNotFound,
		407: target.KindUnauthorized, 408: target.KindTemporary, 409: target.KindConflict, 410: target.KindNotFound,
		412: target.KindConflict, 425: target.KindTemporary, 429: target.KindThrottled, 507: target.KindQuota,
	}
	for status := 300; status < 600; status++ {
		want, ok := known[status]
		switch {
		case ok:
		case status >= 500:
			want = target.KindTemporary
		default:
			want = target.KindPermanent
		}
		if got := share.StatusKind(status); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

func TestAnswered(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer srv.Close()
	client := &http.Client{Transport: share.Noting(http.DefaultTransport)}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(share.Note(t.Context()))
	failed := errors.New("it broke off")
	if got := share.Answered(ctx, failed).Error(); got != "it broke off" {
		t.Errorf("before any answer: %s", got)
	}
	r := request(t, ctx)
	r.URL.Host = srv.Listener.Addr().String()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := share.Answered(ctx, failed).Error(); got != "HTTP status 418: it broke off" {
		t.Errorf("after an answer: %s", got)
	}
	cancel()
	got := share.Answered(ctx, failed)
	if got.Error() != "HTTP status 418: context canceled: it broke off" || !errors.Is(got, context.Canceled) || !errors.Is(got, failed) {
		t.Errorf("after the end of the caller: %v", got)
	}
	if got := share.Cause(ctx, ctx.Err()); !errors.Is(got, context.Canceled) || got.Error() != "context canceled" {
		t.Errorf("what says so is left as it is: %v", got)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"0": 0, "3": 3, " 3.0 ": 3, "3e2": 300, "2147483647": 2147483647,
		"-1": -1, "2.5": -1, "2147483648": -1, "1e99": -1, `"3"`: -1, "null": -1, "true": -1, "{}": -1, "[3]": -1,
		"": -1, "3 4": -1, "3,": -1, "NaN": -1,
	} {
		doc, err := share.Decode([]byte(text))
		n := -1
		if err == nil {
			if n, err = share.Count(doc); err != nil {
				n = -1
			}
		}
		if n != want {
			t.Errorf("%q: %d, %v, want %d", text, n, err, want)
		}
	}
}
