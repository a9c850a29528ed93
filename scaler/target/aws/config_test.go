package aws

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
	var clients Clients
	t.Setenv("AWS_REGION", "eu-north-1")
	for text, want := range map[string]string{
		"{ name: web }": "aws_asg eu-north-1/web",
		"{ name: 'web/blue 1', region: eu-central-1, profile: shop, role_arn: 'arn:aws:iam::123456789012:role/x', external_id: a, session_name: b-1, endpoint: 'http://localhost:4566/' }": "aws_asg profile=shop role_arn=arn:aws:iam::123456789012:role/x endpoint=http://localhost:4566 eu-central-1/web/blue 1",
	} {
		cfg := clients.NewASGConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil || cfg.Identity() != want || cfg.(*ASGConfig).clients != &clients {
			t.Errorf("%s: %v, identity %q, want %q", text, err, cfg.Identity(), want)
		}
	}
	for text, want := range map[string]string{
		"{ service: web }": "aws_ecs eu-north-1/default/web",
		"{ service: web, cluster: shop, region: us-gov-east-1 }": "aws_ecs us-gov-east-1/shop/web",
	} {
		cfg := clients.NewECSConfig()
		if err := decode(cfg, text); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Validate(); err != nil || cfg.Identity() != want {
			t.Errorf("%s: %v, identity %q, want %q", text, err, cfg.Identity(), want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	var clients Clients
	for _, test := range []struct {
		name        string
		cfg         interface{ Validate() error }
		text, field string
		want        string
	}{
		{"unknown key", clients.NewASGConfig(), "name: x\nzone: y", "", "line 2: field zone not found"},
		{"no name", clients.NewASGConfig(), "{}", "name", "must name the Auto Scaling group"},
		{"ARN", clients.NewASGConfig(), "{ name: 'arn:aws:autoscaling:x' }", "name", "not its ARN"},
		{"colon", clients.NewASGConfig(), "{ name: 'a:b' }", "name", "is no name"},
		{"zone", clients.NewASGConfig(), "{ name: x, region: eu-central-1a }", "region", "is not a region"},
		{"role", clients.NewASGConfig(), "{ name: x, role_arn: scaler }", "role_arn", "is not the ARN of a role"},
		{"external ID alone", clients.NewASGConfig(), "{ name: x, external_id: y }", "external_id", "goes with role_arn"},
		{"session alone", clients.NewASGConfig(), "{ name: x, session_name: y }", "session_name", "goes with role_arn"},
		{"session", clients.NewASGConfig(), "{ name: x, role_arn: 'arn:aws:iam::123456789012:role/x', session_name: 'a b' }", "session_name", "letters"},
		{"endpoint", clients.NewASGConfig(), "{ name: x, endpoint: 'localhost:4566' }", "endpoint", "is not a URL"},
		{"endpoint with credentials", clients.NewASGConfig(), "{ name: x, endpoint: 'http://u:secret@localhost:4566' }", "endpoint", "must not have credentials"},
		{"no service", clients.NewECSConfig(), "{ cluster: x }", "service", "must name the service"},
		{"no cluster", clients.NewECSConfig(), "{ cluster: '', service: x }", "cluster", "must name the cluster"},
		{"service ARN", clients.NewECSConfig(), "{ service: 'arn:aws:ecs:x' }", "service", "not its ARN"},
		{"service slash", clients.NewECSConfig(), "{ service: 'shop/web' }", "service", "is no name"},
		{"clusters", clients.NewECSDiscoveryConfig(), "{ clusters: ['a b'] }", "clusters", "is no name"},
		{"clusters twice", clients.NewECSDiscoveryConfig(), "{ clusters: [a, a] }", "clusters", "is there twice"},
		{"discovery's region", clients.NewASGDiscoveryConfig(), "{ region: Frankfurt }", "region", "is not a region"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := decode(test.cfg, test.text)
			if err == nil {
				err = test.cfg.Validate()
			}
			fe, ok := errors.AsType[*target.FieldError](err)
			if ok != (test.field != "") || (ok && fe.Field != test.field) {
				t.Errorf("%v, want it to blame %q", err, test.field)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
