package alerts

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// TestAlertmanagerIsNotRedirected: what it is asked with stays with it, and what
// another server says is no answer.
func TestAlertmanagerIsNotRedirected(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("[]"))
	}))
	defer other.Close()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.RequestURI, status)
		}))
		defer source.Close()
		u, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("alice", "s3cret")
		f := newFixture(t, Options{})
		err = f.reconciler(ReconcilerOptions{URL: u}).Reconcile(t.Context())
		if err == nil || !strings.Contains(err.Error(), other.URL) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}
