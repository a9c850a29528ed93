package gcp

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg any, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	var clients Clients
	for text, want := range map[string]string{
		"{ project: shop-1, zone: europe-west1-b, name: web }":                                      "gcp_mig projects/shop-1/zones/europe-west1-b/web",
		"{ project: 'example.com:shop', region: us-central1, name: web, allow_other_owners: true }": "gcp_mig projects/example.com:shop/regions/us-central1/web",
		"{ project: shop, region: us-central1, name: web, credentials_file: key.json, endpoint: 'https://compute.example.com/', impersonate_service_account: a@shop.iam.gserviceaccount.com }": "gcp_mig projects/shop/regions/us-central1/web at https://compute.example.com",
	} {
		cfg := clients.NewConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil || cfg.Identity() != want {
			t.Errorf("%s: %v, identity %q, want %q", text, err, cfg.Identity(), want)
		}
		if c := cfg.(*Config); c.clients != &clients || !c.ChoosesVictims() {
			t.Errorf("%s: %+v", text, c)
		}
		printed, err := yaml.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		again := clients.NewConfig()
		if err := decode(again, string(printed)); err != nil || again.Identity() != want {
			t.Errorf("printed: %v, identity %q\n%s", err, again.Identity(), printed)
		}
		cfg.(*Config).SetDirectory("/etc/alertscaler")
		if f := cfg.(*Config).CredentialsFile; f != "" && f != "/etc/alertscaler/key.json" {
			t.Errorf("credentials_file %q", f)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, field, want string }{
		{"unknown key", "project: shop\nsize: 3", "", "line 2: field size not found"},
		{"no project", "{ zone: europe-west1-b, name: web }", "project", "ID of a project"},
		{"bad project", "{ project: projects/shop, zone: europe-west1-b, name: web }", "project", "is not the ID"},
		{"nowhere", "{ project: shop, name: web }", "zone", "either zone or region"},
		{"two places", "{ project: shop, zone: europe-west1-b, region: europe-west1, name: web }", "zone", "both are there"},
		{"a region for a zone", "{ project: shop, zone: europe-west1, name: web }", "zone", "is not a zone"},
		{"bad region", "{ project: shop, region: Europe, name: web }", "region", "is not a region"},
		{"no name", "{ project: shop, zone: europe-west1-b }", "name", "must name"},
		{"bad name", "{ project: shop, zone: europe-west1-b, name: zones/web }", "name", "is not a name"},
		{"bad account", "{ project: shop, zone: europe-west1-b, name: web, impersonate_service_account: someone }", "impersonate_service_account", "e-mail"},
		{"bad endpoint", "{ project: shop, zone: europe-west1-b, name: web, endpoint: compute.googleapis.com }", "endpoint", "is not an address"},
		{"endpoint with a path", "{ project: shop, zone: europe-west1-b, name: web, endpoint: 'https://x/compute/v1' }", "endpoint", "is not an address"},
		{"credentials in the endpoint", "{ project: shop, zone: europe-west1-b, name: web, endpoint: 'https://u:secret@x' }", "endpoint", "credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := new(Clients).NewConfig()
			err := decode(cfg, test.text)
			if err == nil {
				err = cfg.Validate()
			}
			fe, ok := errors.AsType[*target.FieldError](err)
			if (ok && fe.Field != test.field) || (!ok && test.field != "") {
				t.Errorf("%v, want it to blame %q", err, test.field)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
