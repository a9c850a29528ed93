package outgoing_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// elsewhere is a server that must not be asked for anything.
type elsewhere struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func newElsewhere(t *testing.T) *elsewhere {
	e := &elsewhere{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.got = append(e.got, fmt.Sprintf("%s %s %v", r.Method, r.RequestURI, r.Header))
		e.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"requested": 1, "ready": 1, "access_token": "t", "token_type": "Bearer", "expires_in": 3600}`)
	}))
	t.Cleanup(e.Close)
	return e
}

// redirects is a server that sends everything to another one with a status.
func redirects(t *testing.T, status int, to string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.RequestURI, status)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func googleKey(t *testing.T, tokenURL string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key_id": "1", "token_uri": tokenURL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return file(t, string(b))
}

// TestCredentialsStay: whoever redirects a client to another server has it ask
// that for nothing, and the error names both.
func TestCredentialsStay(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
	t.Setenv("AWS_SESSION_TOKEN", "s3cret-token")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	const web = "policies: [{ name: web, max: 3, targets: [{ name: local, %s }] }]\n"
	for _, client := range []struct {
		name   string
		target func(t *testing.T, url, elsewhere string) string
		scale  bool // else it is read
		silent bool // the error is somebody else's, and does not name the servers
	}{
		{name: "http with a token", target: func(_ *testing.T, url, _ string) string {
			return `http: { url: "` + url + `/pool", authorization: { credentials: s3cret } }`
		}},
		{name: "http with a password", target: func(_ *testing.T, url, _ string) string {
			return `http: { url: "` + url + `/pool", basic_auth: { username: u, password: s3cret } }`
		}},
		{name: "http with a header", target: func(_ *testing.T, url, _ string) string {
			return `http: { url: "` + url + `/pool", http_headers: { X-Key: { secrets: [s3cret] } } }`
		}},
		{name: "http with a token in its URL", target: func(_ *testing.T, url, _ string) string {
			return `http: { url: "` + url + `/pool?token=s3cret" }`
		}},
		{name: "http with OAuth 2 whose token server redirects", target: func(_ *testing.T, url, _ string) string {
			return `http: { url: "` + url + `/pool", oauth2: { client_id: me, client_secret: s3cret, token_url: "` + url + `/token" } }`
		}},
		{name: "awx", target: func(_ *testing.T, url, _ string) string {
			return `awx: { url: "` + url + `", job_template: web, current: { inventory: "1", group: web }, authorization: { credentials: s3cret } }`
		}},
		{name: "nomad", target: func(_ *testing.T, url, _ string) string {
			return `nomad: { address: "` + url + `", job: web, group: web, token: s3cret }`
		}, silent: true},
		{name: "aws_asg", target: func(_ *testing.T, url, _ string) string {
			return `aws_asg: { name: web, region: eu-central-1, endpoint: "` + url + `" }`
		}},
		{name: "aws_ecs of a role", target: func(_ *testing.T, url, _ string) string {
			return `aws_ecs: { service: web, region: eu-central-1, endpoint: "` + url + `", role_arn: "arn:aws:iam::123456789012:role/r" }`
		}},
		{name: "gcp_mig whose tokens redirect", target: func(t *testing.T, url, _ string) string {
			return `gcp_mig: { project: shop, zone: europe-west1-b, name: web, endpoint: "` + url + `", credentials_file: ` + googleKey(t, url+"/token") + ` }`
		}},
		{name: "kubernetes", target: func(t *testing.T, url, _ string) string {
			return `kubernetes: { namespace: shop, name: web, kubeconfig: ` + file(t, `
apiVersion: v1
kind: Config
current-context: c
contexts: [{ name: c, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "`+url+`" } }]
users: [{ name: u, user: { token: s3cret } }]
`) + ` }`
		}},
	} {
		for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			t.Run(fmt.Sprint(client.name, " ", status), func(t *testing.T) {
				other := newElsewhere(t)
				url := redirects(t, status, other.URL)
				name := file(t, fmt.Sprintf(web, client.target(t, url, other.URL)))
				c, err := config.LoadFile(name, install.Registry())
				if err != nil {
					t.Fatal(err)
				}
				tgt, err := c.Policies[0].Targets[0].Platform.New(target.Options{Policy: "web", Name: "local"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err = tgt.Current(ctx)
				stayed(t, other, url, err, client.silent || strings.HasPrefix(client.name, "aws"))
				if err := tgt.Scale(ctx, 2); err == nil {
					t.Error("scaled by an answer that was elsewhere")
				}
				stayed(t, other, url, err, true)
			})
		}
	}
}

// stayed wants an error that names both servers, and that the other one knows
// nothing.
func stayed(t *testing.T, other *elsewhere, url string, err error, silent bool) {
	t.Helper()
	if err == nil {
		t.Error("it was taken for an answer")
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	if len(other.got) > 0 {
		t.Errorf("the other server was asked: %s", strings.Join(other.got, "\n"))
	}
	if err != nil && !silent && (!strings.Contains(err.Error(), other.URL) || !strings.Contains(err.Error(), url)) {
		t.Errorf("the error does not name both servers: %s", err)
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error has the secret: %s", err)
	}
}

// TestDrainHookIsNotRedirected, not even to where it is: a page is no word that
// a replica is done.
func TestDrainHookIsNotRedirected(t *testing.T) {
	hook := func(url string) *drain.Hook {
		c, err := config.LoadFile(file(t, `policies: [{ name: web, max: 3, targets: [{ name: local, process: { command: [sleep, "1"] },
  drain: { http: { url: "`+url+`/drain", authorization: { credentials: s3cret } } } }] }]`), install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		h, err := drain.New(*c.Policies[0].Targets[0].Drain)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		other := newElsewhere(t)
		url := redirects(t, status, other.URL)
		stayed(t, other, url, hook(url).Tell(t.Context(), drain.Request{Action: drain.Drain}), true)
	}
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	}))
	defer login.Close()
	if err := hook(login.URL).Tell(t.Context(), drain.Request{Action: drain.Drain}); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("told of a login page: %v", err)
	}
}

// TestRedirectWithinAServer is followed where it reads.
func TestRedirectWithinAServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
			return
		}
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"requested": 3, "ready": 2}`)
	}))
	defer srv.Close()
	for follow, want := range map[string]int{"": 3, ", follow_redirects: false": 0} {
		c, err := config.LoadFile(file(t, `policies: [{ name: web, max: 3, targets: [{ name: local, http: { url: "`+srv.URL+`/pool", authorization: { credentials: s3cret }`+follow+` } }] }]`), install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		tgt, err := c.Policies[0].Targets[0].Platform.New(target.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st, err := tgt.Current(t.Context())
		if st.Requested != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %+v, %v", follow, st, err)
		}
	}
}
