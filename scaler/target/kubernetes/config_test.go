package kubernetes

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// decode is how the server decodes a platform's part of its configuration.
func decode(cfg target.Config, text string) error {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	return dec.Decode(cfg)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	var clients Clients
	halfMinute := model.Duration(30 * time.Second)
	for _, test := range []struct {
		name, text string
		want       *Config
		identity   string
	}{
		{
			"a deployment", `{ namespace: shop, name: web }`,
			&Config{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"},
			`kubernetes Deployment.apps shop/web`,
		},
		{
			"all", `{ api_version: apps/v1, kind: StatefulSet, namespace: shop, name: db, kubeconfig: shop.kubeconfig, context: eu, ready: .status.serving, unschedulable_timeout: 30s, allow_other_owners: true }`,
			&Config{
				APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "shop", Name: "db",
				Kubeconfig: "/etc/alertscaler/shop.kubeconfig", Context: "eu", AllowOtherOwners: true,
				Ready: ".status.serving", UnschedulableTimeout: &halfMinute,
			},
			`kubernetes kubeconfig=/etc/alertscaler/shop.kubeconfig context=eu StatefulSet.apps shop/db`,
		},
		{
			"a custom resource in no namespace", `{ api_version: example.com/v1beta1, kind: Fleet, name: games }`,
			&Config{APIVersion: "example.com/v1beta1", Kind: "Fleet", Name: "games"},
			`kubernetes Fleet.example.com games`,
		},
		{
			"the core group", `{ api_version: v1, kind: ReplicationController, namespace: old, name: web }`,
			&Config{APIVersion: "v1", Kind: "ReplicationController", Namespace: "old", Name: "web"},
			`kubernetes ReplicationController old/web`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := clients.NewConfig().(*Config)
			if err := decode(got, test.text); err != nil {
				t.Fatal(err)
			}
			got.SetDirectory("/etc/alertscaler")
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
				t.Error(diff)
			}
			if got.clients != &clients {
				t.Error("decoding lost the clients")
			}
			if got.Identity() != test.identity {
				t.Errorf("identity %q, want %q", got.Identity(), test.identity)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	var clients Clients
	for _, test := range []struct {
		name, text  string
		field, want string // no field: it does not even decode
	}{
		{"unknown key", "namespace: shop\nreplicas: 3", "", "line 2: field replicas not found"},
		{"nothing", "{}", "namespace", "must name the namespace"},
		{"no name", "namespace: shop", "name", "must name the Deployment"},
		{"no namespace", "name: web", "namespace", "must name the namespace"},
		{"a namespace that cannot be", "{ namespace: Shop_1, name: web }", "namespace", "lowercase"},
		{"a name that cannot be", "{ namespace: shop, name: web/scale }", "name", `"web/scale" may not contain '/'`},
		{"an empty version", `{ api_version: "", namespace: shop, name: web }`, "api_version", "apps/v1"},
		{"a version too many", "{ api_version: apps/v1/v2, namespace: shop, name: web }", "api_version", `"apps/v1/v2"`},
		{"no kind", `{ kind: "", namespace: shop, name: web }`, "kind", "Deployment"},
		{"a path that is none", "{ namespace: shop, name: web, ready: '.status.pools[' }", "ready", ".status.readyReplicas"},
		{"kubectl's way to name a kind", "{ kind: deployment.apps, namespace: shop, name: web }", "kind", `"deployment.apps"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := clients.NewConfig()
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

// TestKubeconfig finds the cluster where kubectl would.
func TestKubeconfig(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", "")
	cfg := &Config{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	if _, err := cfg.New(target.Options{}); err == nil || !strings.Contains(err.Error(), "no kubeconfig names a cluster") {
		t.Errorf("New without any kubeconfig: %v", err)
	}
	cfg.Kubeconfig = filepath.Join(t.TempDir(), "none")
	if _, err := cfg.New(target.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("New with a kubeconfig that is not there: %v", err)
	}
	file := realtest.KubeconfigFor(t, "https://127.0.0.1:1", "", "x")
	cfg.Kubeconfig, cfg.Context = file, "other"
	if _, err := cfg.New(target.Options{}); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("New with a context that is not there: %v", err)
	}
	cfg.Context = "test"
	if _, err := cfg.New(target.Options{}); err != nil {
		t.Error(err)
	}
	cfg.Kubeconfig, cfg.Context = "", ""
	t.Setenv("KUBECONFIG", file)
	if _, err := cfg.New(target.Options{}); err != nil {
		t.Errorf("New with KUBECONFIG: %v", err)
	}
}

// TestClientsAreShared counts the clients of several targets.
func TestClientsAreShared(t *testing.T) {
	t.Parallel()
	var clients Clients
	one := realtest.KubeconfigFor(t, "https://127.0.0.1:1", "", "one")
	two := realtest.KubeconfigFor(t, "https://127.0.0.1:1", "", "two")
	at := func(kubeconfig, context, name string) target.Target {
		return build(t, &Config{
			APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: name,
			Kubeconfig: kubeconfig, Context: context, clients: &clients,
		})
	}
	targets := []target.Target{at(one, "", "a"), at(one, "", "b"), at(two, "", "c"), at(two, "test", "d")}
	if n := clients.pool.Len(); n != 3 {
		t.Errorf("%d clients of two kubeconfigs, one of them with a context too; want 3", n)
	}
	renewed, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(one, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	targets = append(targets, at(one, "", "e"))
	if n := clients.pool.Len(); n != 4 {
		t.Errorf("%d clients after a token was renewed, want 4", n)
	}
	for _, tgt := range targets {
		if err := tgt.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	if n := clients.pool.Len(); n != 0 {
		t.Errorf("%d clients after all targets were closed", n)
	}
}
