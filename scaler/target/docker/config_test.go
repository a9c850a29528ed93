package docker

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
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
	t.Setenv("DOCKER_HOST", "")
	minute := model.Duration(time.Minute)
	var clients Clients
	for _, test := range []struct {
		name, text string
		new        func() target.Config
		want       target.Config
		identity   string
	}{
		{
			"service", `name: shop_web`, clients.NewServiceConfig,
			&ServiceConfig{Name: "shop_web"},
			"docker_service unix:///var/run/docker.sock shop_web",
		},
		{
			"service of another host", `{ name: web, host: "tcp://docker:2376", tls_config: { ca_file: ca.pem } }`, clients.NewServiceConfig,
			&ServiceConfig{Name: "web", HostConfig: HostConfig{Host: "tcp://docker:2376", TLSConfig: &config.TLSConfig{CAFile: "ca.pem"}}},
			"docker_service tcp://docker:2376 web",
		},
		{
			"container", `template: web`, clients.NewContainerConfig,
			&ContainerConfig{Template: "web"},
			"docker_container unix:///var/run/docker.sock web",
		},
		{
			"container with all", `{ template: web, name_prefix: w, stop_timeout: 1m, host: "unix:///run/d.sock" }`, clients.NewContainerConfig,
			&ContainerConfig{Template: "web", NamePrefix: "w", StopTimeout: &minute, HostConfig: HostConfig{Host: "unix:///run/d.sock"}},
			"docker_container unix:///run/d.sock web",
		},
		{
			"compose service", `compose: { project: shop, service: web }`, clients.NewContainerConfig,
			&ContainerConfig{Compose: &ComposeConfig{Project: "shop", Service: "web"}},
			"docker_container unix:///var/run/docker.sock compose shop/web",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.new()
			if err := decode(got, test.text); err != nil {
				t.Fatal(err)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(ServiceConfig{}, ContainerConfig{})); diff != "" {
				t.Error(diff)
			}
			if got.Identity() != test.identity {
				t.Errorf("identity %q, want %q", got.Identity(), test.identity)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	var clients Clients
	for _, test := range []struct {
		name, text  string
		new         func() target.Config
		field, want string // no field: it does not even decode
	}{
		{"unknown key", "name: x\nreplicas: 3", clients.NewServiceConfig, "", "line 2: field replicas not found"},
		{"unknown key in TLS", "template: x\ntls_config:\n  cafile: y", clients.NewContainerConfig, "", "line 3: field cafile not found"},
		{"no service", "{}", clients.NewServiceConfig, "name", "must name a service"},
		{"no container", "{}", clients.NewContainerConfig, "template", "must name a container"},
		{"prefix", "{ template: x, name_prefix: /x }", clients.NewContainerConfig, "name_prefix", `"/x"`},
		{"template and compose", "{ template: x, compose: { project: p, service: s } }", clients.NewContainerConfig, "compose", "only one of them"},
		{"prefix of a compose service", "{ name_prefix: x, compose: { project: p, service: s } }", clients.NewContainerConfig, "name_prefix", "copies of a template"},
		{"no project", "compose: { service: s }", clients.NewContainerConfig, "compose.project", "must name a project"},
		{"bad project", "compose: { project: Shop, service: s }", clients.NewContainerConfig, "compose.project", `"Shop"`},
		{"no service of compose", "compose: { project: p }", clients.NewContainerConfig, "compose.service", "must name a service"},
		{"bad service of compose", "compose: { project: p, service: a/b }", clients.NewContainerConfig, "compose.service", `"a/b"`},
		{"unknown key of compose", "compose:\n  file: x", clients.NewContainerConfig, "", "line 2: field file not found"},
		{"host without a scheme", "{ name: x, host: docker }", clients.NewServiceConfig, "host", "unix:///var/run/docker.sock"},
		{"host of another scheme", `{ name: x, host: "ssh://docker" }`, clients.NewServiceConfig, "host", "must begin with"},
		{"TLS on a socket", `{ name: x, host: "unix:///x", tls_config: {} }`, clients.NewServiceConfig, "tls_config", "tcp://"},
		{"half a certificate", `{ name: x, host: "tcp://x:1", tls_config: { cert_file: a } }`, clients.NewServiceConfig, "", "exactly one of key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := test.new()
			err := decode(cfg, test.text)
			if test.field != "" {
				if err != nil {
					t.Fatal(err)
				}
				err = cfg.Validate()
				if fe, ok := errors.AsType[*target.FieldError](err); !ok || fe.Field != test.field {
					t.Errorf("Validate: %v, want it to blame %s", err, test.field)
				}
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestHostFromTheEnvironment takes over what the docker command would use.
func TestHostFromTheEnvironment(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://remote:2376")
	t.Setenv("DOCKER_CERT_PATH", "/certs")
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	var c HostConfig
	if c.host() != "tcp://remote:2376" {
		t.Errorf("host = %s", c.host())
	}
	want := &config.TLSConfig{CAFile: "/certs/ca.pem", CertFile: "/certs/cert.pem", KeyFile: "/certs/key.pem"}
	if diff := cmp.Diff(want, c.tls()); diff != "" {
		t.Error(diff)
	}
	t.Setenv("DOCKER_TLS_VERIFY", "")
	if !c.tls().InsecureSkipVerify {
		t.Error("the server is verified, and DOCKER_TLS_VERIFY is empty")
	}
	// A host that the configuration names is not the environment's.
	c.Host = "tcp://other:2375"
	if c.tls() != nil {
		t.Errorf("TLS for %s: %+v, want none", c.host(), c.tls())
	}
}
