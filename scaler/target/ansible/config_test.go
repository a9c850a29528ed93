package ansible

import (
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	unexported := cmpopts.IgnoreUnexported(config.ProxyConfig{}, Config{}, AWXConfig{})
	for _, test := range []struct {
		name, text string
		new        func() target.Config
		want       target.Config
		identity   string
	}{
		{
			"playbook and group", `{ playbook: scale.yml, inventory: hosts.ini, current: { group: web, ready: { command: [./ready, web] } } }`, NewConfig,
			&Config{
				Playbook: "/etc/scaler/scale.yml", Inventory: "/etc/scaler/hosts.ini", Timeout: model.Duration(10 * time.Minute),
				Current:         CurrentConfig{Group: "web", Ready: &CommandConfig{Command: []string{"/etc/scaler/ready", "web"}}},
				AnsiblePlaybook: "ansible-playbook", MaxOutput: 64 * units.KiB,
			},
			"ansible group web of /etc/scaler/hosts.ini",
		},
		{
			"playbook with all", `
playbook: /srv/scale.yml
inventory: localhost,
current: { command: [count, web] }
extra_vars: { sizes: [1, b], nested: { x: true } }
timeout: 1h
env: { ANSIBLE_FORKS: "20" }
dir: site
ansible_playbook: ./venv/bin/ansible-playbook
max_output: 1MiB`, NewConfig,
			&Config{
				Playbook: "/srv/scale.yml", Inventory: "localhost,", Current: CurrentConfig{Command: []string{"count", "web"}},
				ExtraVars: map[string]any{"sizes": []any{1, "b"}, "nested": map[string]any{"x": true}},
				Timeout:   model.Duration(time.Hour), Env: map[string]string{"ANSIBLE_FORKS": "20"}, Dir: "/etc/scaler/site",
				AnsiblePlaybook: "/etc/scaler/venv/bin/ansible-playbook", MaxOutput: units.MiB,
			},
			`ansible /srv/scale.yml {"nested":{"x":true},"sizes":[1,"b"]} counted by ["count" "web"]`,
		},
		{
			"job template", `{ url: "https://awx.example.com/", job_template: 7, current: { inventory: Production, group: web }, authorization: { credentials_file: token } }`, NewAWXConfig,
			&AWXConfig{
				URL: "https://awx.example.com/", JobTemplate: "7", Current: CurrentConfig{Inventory: "Production", Group: "web"},
				HTTPClientConfig: config.HTTPClientConfig{
					Authorization:   &config.Authorization{Type: "Bearer", CredentialsFile: "/etc/scaler/token"},
					FollowRedirects: true, EnableHTTP2: true,
				},
			},
			"awx https://awx.example.com/api/v2/ group web of Production",
		},
		{
			"job template of a gateway", `{ url: "https://aap.example.com/api/controller/v2", job_template: Scale, current: { command: [./count] } }`, NewAWXConfig,
			&AWXConfig{
				URL: "https://aap.example.com/api/controller/v2", JobTemplate: "Scale", Current: CurrentConfig{Command: []string{"/etc/scaler/count"}},
				HTTPClientConfig: config.DefaultHTTPClientConfig,
			},
			`awx https://aap.example.com/api/controller/v2/ Scale null counted by ["/etc/scaler/count"]`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.new()
			if err := decode(got, test.text); err != nil {
				t.Fatal(err)
			}
			if a, ok := got.(*AWXConfig); ok {
				if err := a.HTTPClientConfig.Validate(); err != nil {
					t.Fatal(err)
				}
			}
			got.(config.DirectorySetter).SetDirectory("/etc/scaler")
			if diff := cmp.Diff(test.want, got, unexported); diff != "" {
				t.Error(diff)
			}
			if got.Identity() != test.identity {
				t.Errorf("identity %q, want %q", got.Identity(), test.identity)
			}
			// What is shown of a configuration is one.
			text, err := yaml.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			again := test.new()
			if err := decode(again, string(text)); err != nil {
				t.Errorf("%v:\n%s", err, text)
			} else if diff := cmp.Diff(got, again, unexported); diff != "" {
				t.Errorf("rendered and read again: %s", diff)
			}
		})
	}
}

func TestExitKinds(t *testing.T) {
	t.Parallel()
	const recap = "PLAY RECAP ****\nweb1 : ok=0 changed=0 unreachable=1 failed=0\n"
	for _, test := range []struct {
		code    int
		printed string
		want    target.Kind
	}{
		{-1, "", target.KindTemporary},
		{1, "ERROR! the playbook: x.yml could not be found", target.KindPermanent},
		{2, recap, target.KindTemporary},
		{4, "fatal: [web1]: UNREACHABLE! => {}\n" + recap, target.KindTemporary},
		{4, "ERROR! an inventory plugin complained\n" + recap, target.KindTemporary},
		{4, "ERROR! Syntax Error while loading YAML.", target.KindPermanent},
		{4, "[ERROR]: YAML parsing failed: did not find expected ',' or ']'", target.KindPermanent},
		{5, "", target.KindPermanent},
		{8, recap, target.KindTemporary},
		{99, "", target.KindTemporary},
		{250, "", target.KindPermanent},
		{77, "", target.KindPermanent},
	} {
		o := program.NewOutput(1000)
		_, _ = o.Write([]byte(test.printed))
		if got := exitMeaning(test.code, o); got.Kind != test.want || got.Meaning == "" {
			t.Errorf("exit code %d after %q: %s (%s), want %s", test.code, test.printed, got.Kind, got.Meaning, test.want)
		}
	}
}
