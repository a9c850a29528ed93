package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// ask builds a target and asks it for two replicas; what comes of that is the
// caller's to find out.
func ask(t *testing.T, c *config.Target) {
	t.Helper()
	built, err := c.Platform.New(target.Options{Policy: "web", Name: "local"})
	if err != nil {
		t.Fatal(err)
	}
	if closer, ok := built.(target.Closer); ok {
		t.Cleanup(func() { _ = closer.Close() })
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := built.Scale(ctx, 2); err != nil {
		t.Logf("scale: %s", err)
	}
}

func tell(t *testing.T, c *config.Target) {
	t.Helper()
	h, err := drain.New(*c.Drain)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Tell(t.Context(), drain.Request{Action: drain.Drain}); err != nil {
		t.Fatal(err)
	}
}

// TestEnvironmentOfPrograms: what the server has in its environment, secrets
// among it, is given to no program unless pass_env names it.
func TestEnvironmentOfPrograms(t *testing.T) {
	const policy = "policies:\n  - { name: web, max: 3, targets: [{ name: local, %s }] }\n"
	t.Setenv("ALERTSCALER_TEST_SECRET", "s3cret")
	t.Setenv("PASSED_ONE", "1")
	t.Setenv("PASSED_TWO", "2")
	t.Setenv("LC_TIME", "C")
	for _, test := range []struct {
		name, target string // PASS stands for pass_env
		needs        string
		run          func(*testing.T, *config.Target)
	}{
		{"replicas", "process: { command: [./show, hang] PASS }", "", ask},
		{"drain", "process: { command: [./show] }, drain: { command: [sh, ./show] PASS }", "", tell},
		{"count", "ansible: { playbook: scale.yml, current: { command: [./show] } PASS }", "", ask},
		{"command for current", "command: { current: [./show], scale: [echo, '{desired}'] PASS }", "", ask},
		{"command for scale", "command: { current: [echo, '1'], scale: [./show, '{desired}'] PASS }", "", ask},
		{"inventory", "ansible: { playbook: scale.yml, inventory: ./hosts, current: { group: web } PASS }", "ansible-inventory", ask},
		{"playbook", "ansible: { playbook: scale.yml, ansible_playbook: ./show, current: { command: [echo, '1'] } PASS }", "", ask},
	} {
		for _, pass := range []string{"", ", pass_env: [PASSED_ONE, 'PASSED_T*', NOT_THERE]"} {
			t.Run(test.name+pass[:min(len(pass), 10)], func(t *testing.T) {
				if test.needs != "" {
					realtest.Tool(t, test.needs)
				}
				dir := t.TempDir()
				t.Chdir(dir)
				shown := filepath.Join(dir, "environment")
				script := fmt.Sprintf("#!/bin/sh\nenv >%[1]s.new && mv %[1]s.new %[1]s\n[ \"$1\" = hang ] && exec sleep 1000\necho 1\n", shown)
				inventory := fmt.Sprintf("#!/bin/sh\nenv >%[1]s.new && mv %[1]s.new %[1]s\necho '{\"web\": {\"hosts\": [\"a\", \"b\"]}}'\n", shown)
				for name, content := range map[string]string{
					"show": script, "hosts": inventory, "scale.yml": "[]\n",
					"alertscaler.yml": fmt.Sprintf(policy, strings.ReplaceAll(test.target, " PASS", pass)),
				} {
					if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				c, err := config.LoadFile(filepath.Join(dir, "alertscaler.yml"), install.Registry())
				if err != nil {
					t.Fatal(err)
				}
				test.run(t, c.Policies[0].Targets[0])
				var environment []string
				realtest.Eventually(t, time.Minute, 20*time.Millisecond, "the program has shown its environment", func() error {
					b, err := os.ReadFile(shown)
					environment = strings.Split(string(b), "\n")
					return err
				})
				has := func(kv string) bool { return slices.Contains(environment, kv) }
				for _, kv := range []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_TIME=C"} {
					if !has(kv) {
						t.Errorf("it is not given %s", kv)
					}
				}
				if has("ALERTSCALER_TEST_SECRET=s3cret") {
					t.Error("it is given a secret of the server")
				}
				for _, kv := range []string{"PASSED_ONE=1", "PASSED_TWO=2"} {
					if has(kv) != (pass != "") {
						t.Errorf("%s is given: %v", kv, has(kv))
					}
				}
			})
		}
	}
}
