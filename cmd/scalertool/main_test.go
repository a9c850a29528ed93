package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

var fixtures = filepath.Join("..", "..", "scaler", "config", "testdata")

func tool(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	good := filepath.Join(fixtures, "minimal.good.yml")
	bad := filepath.Join(fixtures, "min_above_max.bad.yml")
	full := filepath.Join(fixtures, "full.good.yml")
	defaults := filepath.Join("..", "..", "testdata", "policies", "defaults.yml")
	failing := filepath.Join(t.TempDir(), "failing.yml")
	config, err := filepath.Abs(filepath.Join("..", "..", "testdata", "policies", "config", "defaults.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(failing, []byte("config_file: "+config+"\ntests: [ { name: n, policy: web, expect: [ { at: 0s, desired: 3 } ] } ]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a good file", []string{"check", "config", good}, exitOK, "SUCCESS, 1 policies"},
		{"budgets", []string{"check", "config", full}, exitOK, "budget shop: web, batch together at most 22 replicas"},
		{"a bad file among good ones", []string{"check", "config", good, bad}, exitFailed, bad + ":4: policies[0].min: 5 is greater than max 3"},
		{"no such file", []string{"check", "config", "none.yml"}, exitCannot, "none.yml"},
		{"no arguments", []string{"check", "config"}, exitCannot, "required argument 'file'"},
		{"unknown command", []string{"chekc"}, exitCannot, "chekc"},
		{"help", []string{"--help"}, exitOK, "rules generate"},
		{"version", []string{"--version"}, exitOK, "scalertool"},
		{"no server", []string{"status", "--alertscaler.url=http://127.0.0.1:1"}, exitCannot, "connection refused"},
		{"not a URL", []string{"status", "--alertscaler.url=nowhere"}, exitCannot, "write it as http://host:port"},
		{"nothing to generate", []string{"rules", "generate", "--config.file=" + good}, exitFailed, "no policy has resources"},
		{"tests that are well", []string{"test", defaults}, exitOK, "Policy tests: " + defaults + "\n  SUCCESS"},
		{"one of them by name", []string{"test", "--run=^while both alerts fire", defaults}, exitOK, "SUCCESS"},
		{"none of that name", []string{"test", "--run=no such story", defaults}, exitFailed, "no test has a name that matches no such story"},
		{"not a regular expression", []string{"test", "--run=(", defaults}, exitCannot, "missing closing )"},
		{"a test that fails", []string{"test", defaults, failing}, exitFailed, "desired: expected 3, got 2"},
		{"tests that are not valid", []string{"test", good}, exitFailed, good + ":1: unknown key"},
		{"tests that are not there", []string{"test", "none.yml"}, exitCannot, "read policy tests: open none.yml"},
		{"generate from a bad file", []string{"rules", "generate", "--config.file=" + bad}, exitFailed, "5 is greater than max 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := tool(tc.args...)
			if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, tc.code, tc.want, stdout, stderr)
			}
		})
	}
}

// TestGenerateRefusesAnotherTargetsSeries: alerts for one scale_target made of
// the series of another would scale the wrong thing.
func TestGenerateRefusesAnotherTargetsSeries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.yml")
	if err := os.WriteFile(file, []byte(`
prometheus: { url: http://localhost:9090 }
policies:
  - name: web
    scale_target: shop_web
    alerts: { up: ['scale="up"', 'scale_target="blog"'] }
    max: 3
    resources: [ { name: cpu } ]
    targets: [ { name: local, process: { command: [sh] } } ]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := tool("rules", "generate", "--config.file="+file)
	if code != exitFailed || stdout != "" || !strings.Contains(stderr, `policy "web": no labels are known that its matcher scale_target="blog" accepts`) {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestGeneratedRulesLoad: what rules generate writes is what promtool accepts,
// with the policies' own thresholds in it.
func TestGeneratedRulesLoad(t *testing.T) {
	promtool := realtest.Tool(t, "promtool")
	out := filepath.Join(t.TempDir(), "generated.yml")
	code, _, stderr := tool("rules", "generate", "--config.file="+filepath.Join(fixtures, "full.good.yml"), "--output.file="+out)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.3", "shop_web", "team: shop", "alert: ScaleUp", "alert: ScaleDown"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the rules do not say %q:\n%s", want, b)
		}
	}
	check(t, promtool, "check", "rules", out)
}

// TestHowLongFewerReplicasMustSuffice: what waits before a ScaleDown is part of
// what a policy with an objective learns, and two minutes for the others, unless
// somebody says otherwise.
func TestHowLongFewerReplicasMustSuffice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "two.yml")
	if err := os.WriteFile(file, []byte(`
prometheus: { url: http://localhost:9090 }
policies:
  - { name: fixed, max: 3, resources: [ { name: cpu } ], reservation: { ratio: 0.2 }, targets: [ { name: t, http: { url: "http://localhost/fixed" } } ] }
  - { name: learns, max: 3, resources: [ { name: cpu } ], reservation: { objective: 0.99 }, targets: [ { name: t, http: { url: "http://localhost/learns" } } ] }
  - { name: priced, max: 3, resources: [ { name: cpu } ], reservation: { objective: { shortage_price: 25 } }, targets: [ { name: t, http: { url: "http://localhost/priced" } } ] }
  - name: of-one
    max: 3
    resources: [ { name: cpu, reservation: { objective: 0.9 } }, { name: memory } ]
    targets: [ { name: t, http: { url: "http://localhost/one" } } ]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want map[string]string
	}{
		{nil, map[string]string{"fixed": "2m", "learns": "", "priced": "", "of-one": ""}},
		{[]string{"--scale-down.for=20s"}, map[string]string{"fixed": "20s", "learns": "20s", "priced": "20s", "of-one": "20s"}},
		{[]string{"--scale-down.for=2m"}, map[string]string{"fixed": "2m", "learns": "2m", "priced": "2m", "of-one": "2m"}},
		{[]string{"--scale-down.for=0s"}, map[string]string{"fixed": "", "learns": "", "priced": "", "of-one": ""}},
	} {
		code, stdout, stderr := tool(append([]string{"rules", "generate", "--config.file=" + file}, tc.args...)...)
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		var generated struct {
			Groups []struct {
				Name  string `yaml:"name"`
				Rules []struct {
					Alert string `yaml:"alert"`
					For   string `yaml:"for"`
				} `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal([]byte(stdout), &generated); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, g := range generated.Groups {
			for _, r := range g.Rules {
				if r.Alert == "ScaleDown" {
					got[strings.TrimPrefix(g.Name, "alertscaler.policy.")] = r.For
				}
			}
		}
		if !maps.Equal(got, tc.want) {
			t.Errorf("%v: ScaleDown after %q, want %q", tc.args, got, tc.want)
		}
		for _, resource := range []string{"cpu", "memory"} {
			if got, want := strings.Contains(stdout, `alertscaler_policy_reserved{policy="of-one", resource="`+resource), resource == "cpu"; got != want {
				t.Errorf("%s of policy of-one reads what is learnt: %t", resource, got)
			}
		}
		// The alerts do not know what it is learnt for.
		learns, priced := groupOf(stdout, "learns"), groupOf(stdout, "priced")
		if strings.ReplaceAll(priced, "priced", "learns") != learns || !strings.Contains(priced, `entry=~"(policy )?objective"`) {
			t.Errorf("the alerts of a price differ from those of a share:\n%s\n%s", priced, learns)
		}
	}
}

// groupOf is the text of one policy's group in a generated rule file.
func groupOf(text, policy string) string {
	_, text, _ = strings.Cut(text, "- name: alertscaler.policy."+policy+"\n")
	text, _, _ = strings.Cut(text, "\n  - name: alertscaler.policy.")
	return text
}

// TestExamplesAreValid: the three files of the demo, each by its own tool.
func TestExamplesAreValid(t *testing.T) {
	demo := filepath.Join("..", "..", "examples", "demo")
	t.Run("alertmanager", func(t *testing.T) {
		check(t, realtest.Tool(t, "amtool"), "check-config", filepath.Join(demo, "alertmanager.yml"))
	})
	t.Run("prometheus", func(t *testing.T) {
		check(t, realtest.Tool(t, "promtool"), "check", "config", filepath.Join(demo, "prometheus.yml"))
	})
	t.Run("alertscaler", func(t *testing.T) {
		// The policy's command is the demo's own program, which is built into
		// a directory of its own before the server looks for it.
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "demo"), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		if code, stdout, stderr := tool("check", "config", filepath.Join(demo, "alertscaler.yml")); code != exitOK {
			t.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
	})
}

func check(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
}
