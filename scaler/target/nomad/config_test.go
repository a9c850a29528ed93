package nomad

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg target.Config, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

func TestConfig(t *testing.T) {
	t.Setenv("NOMAD_ADDR", "")
	for text, want := range map[string]string{
		"{ job: web, group: a }": "nomad http://127.0.0.1:4646 default/web/a",
		"{ job: web, group: a, namespace: shop, region: eu, address: 'https://nomad:4646/', token: secret-1, tls_config: {} }": "nomad https://nomad:4646 shop/web/a in eu",
	} {
		cfg := NewConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil || cfg.Identity() != want {
			t.Errorf("%s: %v, identity %q, want %q", text, err, cfg.Identity(), want)
		}
		printed, err := yaml.Marshal(cfg)
		if err != nil || strings.Contains(string(printed), "secret-1") {
			t.Errorf("%v\n%s", err, printed)
		}
	}
	t.Setenv("NOMAD_ADDR", "https://env:4646")
	if got := (&Config{Job: "web", Group: "a"}).Identity(); got != "nomad https://env:4646 default/web/a" {
		t.Errorf("identity with NOMAD_ADDR: %q", got)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Setenv("NOMAD_ADDR", "")
	for _, test := range []struct{ name, text, field, want string }{
		{"unknown key", "job: x\ntask: y", "", "line 2: field task not found"},
		{"no job", "{}", "job", "must name a job"},
		{"no group", "job: web", "group", "nomad job status web"},
		{"all namespaces", "{ job: x, group: y, namespace: '*' }", "namespace", "must be one"},
		{"two tokens", "{ job: x, group: y, token: a, token_file: b }", "token", "at most one"},
		{"address", "{ job: x, group: y, address: 'nomad:4646' }", "address", "is not an address"},
		{"path", "{ job: x, group: y, address: 'http://nomad:4646/v1' }", "address", "is not an address"},
		{"credentials", "{ job: x, group: y, address: 'http://u:secret@nomad:4646' }", "address", "token_file"},
		{"TLS without", "{ job: x, group: y, address: 'http://nomad:4646', tls_config: {} }", "tls_config", "https://"},
		{"half a certificate", "{ job: x, group: y, address: 'https://nomad:4646', tls_config: { cert_file: a } }", "", "exactly one of key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := NewConfig()
			err := decode(cfg, test.text)
			if err == nil {
				err = cfg.Validate()
			}
			fe, ok := errors.AsType[*target.FieldError](err)
			if (ok && test.field != "" && fe.Field != test.field) || (!ok && test.field != "") {
				t.Errorf("%v, want it to blame %q", err, test.field)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
