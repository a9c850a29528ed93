package config_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// TestPrivatePartsOfURLs: what a client prints of a URL has neither user nor
// query, its server gets both, and nobody else.
func TestPrivatePartsOfURLs(t *testing.T) {
	asked := make(chan *http.Request, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		http.Redirect(w, r, other.URL+"/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	parsed, err := url.Parse(strings.Replace(server.URL, "://", "://user:s3cret@", 1) + "/prefix?token=t0ken")
	if err != nil {
		t.Fatal(err)
	}
	u := config.URL{URL: parsed}
	if got := u.Public().String(); got != server.URL+"/prefix" {
		t.Errorf("public: %s", got)
	}
	c := &http.Client{Transport: u.Transport(http.DefaultTransport)}
	res, err := c.Get(u.Public().JoinPath("api").String() + "?a=b")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	first, second := <-asked, <-asked
	if user, password, _ := first.BasicAuth(); user != "user" || password != "s3cret" || first.URL.RequestURI() != "/prefix/api?a=b&token=t0ken" {
		t.Errorf("the server was asked for %s as %s:%s", first.URL.RequestURI(), user, password)
	}
	if _, _, ok := second.BasicAuth(); ok || second.URL.RequestURI() != "/elsewhere" {
		t.Errorf("another host was asked for %s, with credentials: %t", second.URL.RequestURI(), ok)
	}
	server.Close()
	if _, err = c.Get(u.Public().String()); err == nil || errors.As(err, new(*url.Error)) && strings.Contains(err.Error(), "t0ken") || strings.Contains(err.Error(), "user") {
		t.Errorf("the error is %v", err)
	}
}
