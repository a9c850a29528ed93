package http

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg target.Config, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got := configured(t, "http://pool/web", "")
	want := NewConfig().(*Config)
	want.URL = "http://pool/web"
	if diff := cmp.Diff(want.Current, got.Current); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Scale, got.Scale); diff != "" {
		t.Error(diff)
	}
	if c := got.HTTPClientConfig; !c.FollowRedirects || !c.EnableHTTP2 {
		t.Errorf("client options without their defaults: %+v", c)
	}
	// One key of a section leaves the others as they are.
	got = configured(t, "http://pool/web", "current: { requested: spec.replicas }\nscale: { method: PATCH }")
	if got.Current.Ready != "ready" || got.Current.Method != http.MethodGet || got.Scale.Body != want.Scale.Body {
		t.Errorf("%+v, %+v", got.Current, got.Scale)
	}
	if got = configured(t, "http://pool/web", `current: { ready: "" }`); got.Current.Ready != "" {
		t.Errorf("ready = %q, and it was written as empty", got.Current.Ready)
	}
}

// TestPrinted shows what is printed: no secret, and a configuration that is
// valid again.
func TestPrinted(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "http://user:secret-1@pool/web", `
current: { url: "http://user:secret-2@pool/status", ready: "", max: limits.max }
oauth2: { client_id: me, client_secret: secret-3, token_url: "http://tokens/" }
http_headers: { X-Key: { secrets: [secret-4] } }
`)
	text, err := yaml.Marshal(cfg)
	if err != nil || strings.Contains(string(text), "secret-") {
		t.Fatalf("%v\n%s", err, text)
	}
	again := NewConfig()
	if err := decode(again, string(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := again.Validate(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	if c := again.(*Config).Current; c.Ready != "" || c.Max == nil || *c.Max != "limits.max" || c.Min != nil {
		t.Errorf("read back: %+v\n%s", c, text)
	}
	if strings.Contains(cfg.Identity(), "secret") {
		t.Errorf("identity %q", cfg.Identity())
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, field, want string }{
		{"unknown key", "url: http://x\nmethod: PUT", "", "line 2: field method not found"},
		{"unknown key of current", "url: http://x\ncurrent: { path: x }", "", "line 2: field path not found"},
		{"no URL", "{}", "url", "is missing"},
		{"scheme", "url: ftp://x", "url", "must begin with http"},
		{"no host", "url: /web", "url", "must begin with http"},
		{"not a URL", `url: "http://user:secret@x:y"`, "url", "is not a URL"},
		{"current URL", "url: http://x\ncurrent: { url: 'unix:///x' }", "current.url", "must begin with http"},
		{"scale URL", "url: http://x\nscale: { url: '%zz' }", "scale.url", "is not a URL"},
		{"read method", "url: http://x\ncurrent: { method: HEAD }", "current.method", `"HEAD" is neither`},
		{"body of GET", "url: http://x\ncurrent: { body: x }", "current.body", "GET has no body"},
		{"scale method", "url: http://x\nscale: { method: GET }", "scale.method", `"GET" is none of`},
		{"no requested", "url: http://x\ncurrent: { requested: '' }", "current.requested", "is empty"},
		{"path", "url: http://x\ncurrent: { ready: a..b }", "current.ready", `"a..b" is not a path`},
		{"path of max", "url: http://x\ncurrent: { max: '#.x' }", "current.max", "nothing comes after"},
		{"content type", "url: http://x\nscale: { content_type: '' }", "scale.content_type", "is empty"},
		{"template", "url: http://x\nscale: { body: '{{.Desired' }", "scale.body", "is not a template"},
		{"unknown value", "url: http://x\nscale: { body: '{{.Count}}' }", "scale.body", "the values are .Desired"},
		{"constant", `url: http://x` + "\n" + `scale: { body: '{"desired": 3}' }`, "scale.body", "same for every number"},
		{"no JSON", "url: http://x\nscale: { body: 'n={{.Desired}}' }", "scale.body", "is not JSON"},
		{"unquoted", `url: http://x` + "\n" + `scale: { body: '{"n": {{.Desired}}, "of": {{.Target}}}' }`, "scale.body", "{{json .Target}}"},
		{"two credentials", "url: http://x\nbasic_auth: { username: a, password: b }\nauthorization: { credentials: c }", "", "at most one of"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := NewConfig()
			err := decode(cfg, test.text)
			if err == nil {
				err = cfg.Validate()
			}
			fe, ok := errors.AsType[*target.FieldError](err)
			if (test.field != "") != ok || (ok && fe.Field != test.field) {
				t.Errorf("%v, want it to blame %q", err, test.field)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{
		"":                         "http http://pool/web",
		"current: { url: status }": "http http://pool/web",
		"scale: { url: '/count?of=1', method: POST }":                                    "http http://pool/count?of=1",
		`scale: { body: '{"n": {{.Desired}}, "of": "a"}' }`:                              `http http://pool/web {"n": 0, "of": "a"}`,
		`scale: { body: '{"n": {{.Desired}}, "of": {{json .Target}}}' }`:                 "",
		`scale: { body: '<n>{{.Desired}}</n>', content_type: application/xml }`:          "http http://pool/web <n>0</n>",
		"basic_auth: { username: a, password_file: p }\nproxy_url: 'http://proxy:3128/'": "http http://pool/web",
	} {
		if got := configured(t, "http://user:pw@pool/web", more).Identity(); got != want {
			t.Errorf("%s: %q, want %q", more, got, want)
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "https://pool", "authorization: { credentials_file: token }\ntls_config: { ca_file: ca.pem }")
	cfg.SetDirectory("/etc/alertscaler")
	got := []string{cfg.HTTPClientConfig.Authorization.CredentialsFile, cfg.HTTPClientConfig.TLSConfig.CAFile}
	if diff := cmp.Diff([]string{filepath.FromSlash("/etc/alertscaler/token"), filepath.FromSlash("/etc/alertscaler/ca.pem")}, got); diff != "" {
		t.Error(diff)
	}
}
