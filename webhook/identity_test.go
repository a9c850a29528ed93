package webhook

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func verified(c *x509.Certificate) *tls.ConnectionState {
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}, VerifiedChains: [][]*x509.Certificate{{c}}}
}

func TestUserOf(t *testing.T) {
	ann := &x509.Certificate{Subject: pkix.Name{CommonName: "ann"}, DNSNames: []string{"ann.example"}}
	for name, tc := range map[string]struct {
		tls       *tls.ConnectionState
		basicAuth string
		want      string
	}{
		"nobody":                              {nil, "", ""},
		"basic auth":                          {nil, "bob", "bob"},
		"basic auth over TLS":                 {&tls.ConnectionState{}, "bob", "bob"},
		"a certificate":                       {verified(ann), "", "ann"},
		"a certificate goes first":            {verified(ann), "bob", "ann"},
		"a certificate that was not verified": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{ann}}, "bob", "bob"},
		"an email address":                    {verified(&x509.Certificate{EmailAddresses: []string{"ann@example.org"}}), "", "ann@example.org"},
		"a DNS name":                          {verified(&x509.Certificate{DNSNames: []string{"ann.example"}}), "", "ann.example"},
		"a URI":                               {verified(&x509.Certificate{URIs: []*url.URL{{Scheme: "spiffe", Host: "example.org", Path: "/ann"}}}), "", "spiffe://example.org/ann"},
		"a certificate without a name":        {verified(&x509.Certificate{}), "bob", "bob"},
	} {
		r := httptest.NewRequest(http.MethodPost, pauseWeb, http.NoBody)
		r.TLS = tc.tls
		if tc.basicAuth != "" {
			r.SetBasicAuth(tc.basicAuth, "secret")
		}
		if got := userOf(r); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestTheLogSaysWhoAsked for whatever the admin API can be asked: the name in
// the client's certificate, and not the one in the body or in a header.
func TestTheLogSaysWhoAsked(t *testing.T) {
	for path, msg := range map[string]string{
		pauseWeb: "policy paused", "/api/v1/policies/web/resume": "policy resumed", "/api/v1/policies/web/retry": "policy is to try again",
	} {
		var logged bytes.Buffer
		f := world()
		f.paused = map[string]policy.Pause{"web": {By: "carl"}}
		h, _ := serve(t, f, func(o *Options) { o.Logger = log.NewLogfmtLogger(log.NewSyncWriter(&logged)) })
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"by":"mallory","comment":"x"}`))
		r.TLS = verified(&x509.Certificate{Subject: pkix.Name{CommonName: "ann"}})
		r.SetBasicAuth("bob", "secret")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("POST %s: %d %s", path, w.Code, w.Body)
		}
		if got := logged.String(); !strings.Contains(got, msg) || !strings.Contains(got, "by=ann") || strings.Contains(got, "mallory") || strings.Contains(got, "bob") {
			t.Errorf("POST %s: the log says %q, want by=ann", path, got)
		}
	}
}
